import { isOurTable } from '../plan/routing.ts'
import type { Change } from '../plan/steps.ts'
import type { Address, FileState, Route } from './state.ts'

/** A line for `ip -batch`. IPv6 rules go by `ip -6 -batch`: a rule line cannot tell its family otherwise. */
export type IpLine = { family?: 6; line: string }

/**
 * One change in the words of `ip`. Links are `if<ifindex>`, which `ip` takes wherever a device is named (verified on 6.1).
 *
 * @returns undefined for a change that is none of `ip`'s
 */
export function spell(change: Change): IpLine | undefined {
	switch (change.kind) {
		case 'rename':
			return { line: `link set dev if${change.link} name ${change.to}` }
		case 'up':
		case 'down':
			return { line: `link set dev if${change.link} ${change.kind}` }
		case 'mtu':
			return { line: `link set dev if${change.link} mtu ${change.bytes}` }
		case 'addAltname':
		case 'removeAltname':
			return { line: `link property ${change.kind === 'addAltname' ? 'add' : 'del'} dev if${change.link} altname ${change.name}` }
		case 'addAddress':
			return { line: `addr replace ${addressWords(change.address)} dev if${change.link}${lifetime(change.address)}` }
		case 'removeAddress':
			return { line: `addr del ${change.address.cidr} dev if${change.link}` }
		case 'addRoute':
			// A table of ours holds nothing of others that could be replaced.
			return {
				line: `route ${change.again || isOurTable(change.route.table) ? 'replace' : 'add'} ${routeWords(change.route)} proto ${change.route.protocol}`,
			}
		case 'removeRoute':
			return { line: `route del ${routeWords(change.route)}` }
		case 'addNeighbour':
			return { line: `neigh replace ${change.neighbour.ip} lladdr ${change.neighbour.mac} dev if${change.neighbour.link} nud permanent` }
		case 'addRule':
			return rule(change.rule, 'add')
		case 'removeRule':
			return rule(change.rule, 'del')
		default:
			return undefined
	}
}

export type Part<T> =
	| { batch: { item: T; spelled: IpLine }[] }
	| { puts: { item: T; path: string; file: FileState }[] }
	| { asks: T[] }
	| { single: T }

/** Neighbouring `ip` lines of one family make one batch, neighbouring files are put together, neighbouring questions asked together; everything else stands alone. */
export function partsOf<T>(items: readonly T[], changeOf: (item: T) => Change): Part<T>[] {
	const parts: Part<T>[] = []
	for (const item of items) add(parts, item, changeOf(item))
	return parts
}

function add<T>(parts: Part<T>[], item: T, change: Change): void {
	const spelled = spell(change)
	const last = parts.at(-1)
	if (spelled && last && 'batch' in last && last.batch[0]?.spelled.family === spelled.family) last.batch.push({ item, spelled })
	else if (spelled) parts.push({ batch: [{ item, spelled }] })
	else if (change.kind === 'ask' && last && 'asks' in last) last.asks.push(item)
	else if (change.kind === 'ask') parts.push({ asks: [item] })
	else if (change.kind !== 'file' || !change.file) parts.push({ single: item })
	else if (last && 'puts' in last) last.puts.push({ item, path: change.path, file: change.file })
	else parts.push({ puts: [{ item, path: change.path, file: change.file }] })
}

/** @returns `net/ipv4/conf/NAME/arp_ignore`, below /proc/sys, for the key `ipv4/arp_ignore` */
export function settingPath(name: string, key: string): string {
	const [family = '', setting = ''] = key.split('/')
	return `net/${family}/conf/${name}/${setting}`
}

function rule(
	{ family, from, priority, table }: { family: 4 | 6; from: string; priority: number; table: number },
	verb: 'add' | 'del',
): IpLine {
	const line = `rule ${verb} from ${from} priority ${priority} table ${table}${verb === 'add' ? ' protocol 4' : ''}`
	return family === 6 ? { family, line } : { line }
}

function addressWords({ cidr, family, broadcast }: Address): string {
	return family === 4 ? `${cidr} brd ${broadcast ?? '+'}` : cidr
}

function lifetime({ validSeconds }: Address): string {
	return validSeconds === undefined ? '' : ` valid_lft ${validSeconds} preferred_lft ${validSeconds}`
}

function routeWords({ to, via, link, table, metric, scope, source, onlink, family }: Route): string {
	return [
		to,
		via === undefined ? '' : `via ${via}`,
		link === undefined ? '' : `dev if${link}`,
		`table ${table}`,
		metric === 0 ? '' : `metric ${metric}`,
		family === 4 && via === undefined ? `scope ${scope}` : '',
		source === undefined ? '' : `src ${source}`,
		onlink ? 'onlink' : '',
	]
		.filter(Boolean)
		.join(' ')
}

import type { Change } from '../plan/steps.ts'
import { deviceWord, type Device } from './device.ts'
import { addressToAdd, addressToRemove } from './spell-address.ts'
import { neighbourToAdd, nextHopObjectToAdd, routeToAdd, routeToRemove } from './spell-route.ts'
import { selectorWords } from './selector-words.ts'
import type { FileState, Rule } from './state.ts'

/**
 * A line for `ip -batch`. IPv6 rules need `ip -6 -batch`, because a rule line cannot specify its family otherwise. `alone`: `ip` ends the
 * whole batch if the kernel rejects the line, even with `-force`, so the batch must contain no other line. @see ipneigh_modify of iproute2
 */
export type IpLine = { family?: 6; alone?: true; line: string }

/**
 * Formats one change in the syntax of `ip`.
 *
 * @param device how to identify a link; people see another form than `ip` gets
 * @returns undefined for a change that `ip` does not make
 */
export function spell(change: Change, device: Device = deviceWord): IpLine | undefined {
	switch (change.kind) {
		case 'rename':
			return { line: `link set dev ${device(change.link)} name ${change.to}` }
		case 'up':
		case 'down':
			return { line: `link set dev ${device(change.link)} ${change.kind}` }
		case 'mtu':
			return { line: `link set dev ${device(change.link)} mtu ${change.bytes}` }
		case 'addAltname':
		case 'removeAltname':
			return { line: `link property ${change.kind === 'addAltname' ? 'add' : 'del'} dev ${device(change.link)} altname ${change.name}` }
		case 'addAddress':
			return { line: addressToAdd(change.address, change.link, device) }
		case 'removeAddress':
			return { line: addressToRemove(change.address, change.link, device) }
		default:
			return spellRouting(change, device)
	}
}

function spellRouting(change: Change, device: Device): IpLine | undefined {
	switch (change.kind) {
		case 'addRoute':
			return { line: `route ${verbFor(change)} ${routeToAdd(change.route, device)}` }
		case 'removeRoute':
			return { line: `route del ${routeToRemove(change.route, device)}` }
		case 'addNextHop':
			return { ...(change.object.family === 6 && { family: 6 as const }), line: nextHopObjectToAdd(change.object, device) }
		case 'addNeighbour':
			return { line: neighbourToAdd(change.neighbour, device), alone: true }
		case 'addRule':
			return rule(change.rule, 'add')
		case 'removeRule':
			return rule(change.rule, 'del')
		default:
			return undefined
	}
}

function verbFor({ again, replace }: Extract<Change, { kind: 'addRoute' }>): string {
	return again || replace ? 'replace' : 'add'
}

export type Part<T> =
	| { batch: { item: T; spelled: IpLine }[] }
	| { puts: { item: T; path: string; file: FileState }[] }
	| { asks: T[] }
	| { single: T }

/**
 * Groups consecutive changes: `ip` lines of one family form one batch, files are written together, and duplicate address checks run
 * together. Every other change is a separate part.
 */
export function partsOf<T>(items: readonly T[], changeOf: (item: T) => Change, device: Device = deviceWord): Part<T>[] {
	const parts: Part<T>[] = []
	for (const item of items) add(parts, item, { change: changeOf(item), device })
	return parts
}

function add<T>(parts: Part<T>[], item: T, { change, device }: { change: Change; device: Device }): void {
	const spelled = spell(change, device)
	const last = parts.at(-1)
	if (spelled && last && 'batch' in last && isTogether(last.batch[0]?.spelled, spelled)) last.batch.push({ item, spelled })
	else if (spelled) parts.push({ batch: [{ item, spelled }] })
	else if (change.kind === 'ask' && last && 'asks' in last) last.asks.push(item)
	else if (change.kind === 'ask') parts.push({ asks: [item] })
	else if (change.kind !== 'file' || !change.file) parts.push({ single: item })
	else if (last && 'puts' in last) last.puts.push({ item, path: change.path, file: change.file })
	else parts.push({ puts: [{ item, path: change.path, file: change.file }] })
}

function isTogether(first: IpLine | undefined, next: IpLine): boolean {
	return first?.family === next.family && !first?.alone && !next.alone
}

/** @returns the path below /proc/sys of the key `ipv4/arp_ignore`: `net/ipv4/conf/NAME/arp_ignore` */
export function settingPath(name: string, key: string): string {
	const [family = '', setting = ''] = key.split('/')
	return `net/${family}/conf/${name}/${setting}`
}

function rule(
	{ family, priority, table, ...selected }: Pick<Rule, 'family' | 'from' | 'to' | 'priority' | 'table'>,
	verb: 'add' | 'del',
): IpLine {
	const line = `rule ${verb} ${selectorWords(selected)} priority ${priority} table ${table}${verb === 'add' ? ' protocol 4' : ''}`
	return family === 6 ? { family, line } : { line }
}

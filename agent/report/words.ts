import type { Link } from '../host/state.ts'
import { countChanges, type Plan } from '../plan/plan.ts'
import { addressesOf } from '../plan/routing.ts'
import type { Accepted } from '../plan/select.ts'
import type { Change, Step } from '../plan/steps.ts'
import { tableWord } from '../plan/show.ts'

/** One change in a few words, for logs and messages. */
export function stepWords({ change }: Step): string {
	switch (change.kind) {
		case 'rename':
			return `rename to ${change.to}`
		case 'mtu':
			return `mtu ${change.bytes}`
		case 'addAddress':
			return change.address.cidr
		case 'removeAddress':
			return `without ${change.address.cidr}`
		case 'addRoute':
		case 'removeRoute':
			return `${change.kind === 'addRoute' ? '' : 'without '}route ${change.route.to} in table ${tableWord(change.route.table)}`
		case 'addRule':
		case 'removeRule':
			return `${change.kind === 'addRule' ? '' : 'without '}rule from ${change.rule.from}`
		default:
			return otherWords(change)
	}
}

function otherWords(change: Change): string {
	if (change.kind === 'sysctl') return `${change.key} ${change.value}`
	if (change.kind === 'ask') return `ask for ${change.ips.join(', ')}`
	if (change.kind === 'unmanage') return 'NetworkManager lets go'
	if (change.kind === 'manage') return 'NetworkManager takes it up'
	if (change.kind === 'reload') return 'udev reads its rules'
	if (change.kind === 'load') return 'NetworkManager reads the profiles'
	if (change.kind === 'file') return `${change.file ? 'write' : 'remove'} ${change.path}`
	return 'name' in change ? `${change.kind} ${change.name}` : change.kind
}

/** @returns what these steps do for one interface, a few words a change; not what only serves a change */
export function doneWords(steps: readonly Step[], id: number): string[] {
	return steps.filter(step => step.id === id && countChanges([step]) > 0).map(stepWords)
}

/** @returns `is ens7, down     rename, mtu 1450, 10.0.0.23/24, table 100 from 10.0.0.23`: what is found, what becomes of it */
export function nicWords({ nic, link }: Accepted, { steps }: Plan): string {
	const own = steps.filter(({ id }) => id === nic.id)
	if (own.length === 0) return 'is right already  nothing to do'
	return `${linkWords(link)}  ${summary(own, addressesOf(nic)).join(', ')}`
}

/** @returns `is ens7, down`, as wide as a column */
export function linkWords({ name, up }: Link): string {
	return `is ${name}, ${up ? 'up' : 'down'}`.padEnd(16)
}

function summary(steps: readonly Step[], addresses: readonly string[]): string[] {
	const has = (kind: Change['kind']) => steps.some(({ change }) => change.kind === kind)
	const table = steps.flatMap(({ change }) => (change.kind === 'addRule' ? [change.rule.table] : []))[0]
	const rules = table === undefined ? [] : [`table ${table} from ${addresses.map(cidr => cidr.slice(0, cidr.indexOf('/'))).join(', ')}`]
	const plain = steps.filter(({ change }) => ['mtu', 'addAddress', 'removeAddress', 'removeRoute', 'removeRule'].includes(change.kind))
	const routes = has('addRoute') && !has('addRule') ? ['routes'] : []
	return [
		has('rename') ? 'rename' : '',
		...plain.map(stepWords),
		...routes,
		...rules,
		has('sysctl') ? 'settings' : '',
		has('file') ? 'files' : '',
	].filter(Boolean)
}

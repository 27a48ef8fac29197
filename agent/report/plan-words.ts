import { networkOf } from '../../contract/ip.ts'
import { changeWords } from '../ip/change-words.ts'
import { type Change, changesIn, type Step } from '../model/change.ts'
import { addressesOf } from '../model/desired-network.ts'
import type { Link } from '../model/host-state.ts'
import { MAIN } from '../model/route.ts'
import type { Accepted } from '../model/selection.ts'
import type { Plan } from '../plan/plan.ts'

/** @returns what these steps do for one interface, in a few words per change; replacements and repetitions count as one change */
export function doneWords(steps: readonly Step[], id: number): string[] {
	return withReplaced(changesIn(steps.filter(step => step.id === id)))
}

/**
 * To a reader, an address that is removed and added again is one change, and so is a route that is added in two places of a plan. The
 * kernel adds the route to the network of an address together with the address.
 */
function withReplaced(changes: readonly Change[]): string[] {
	const cidrs = (kind: Change['kind']) =>
		changes.flatMap(change => ('address' in change && change.kind === kind ? [change.address.cidr] : []))
	const added = cidrs('addAddress')
	const replaced = new Set(cidrs('removeAddress').filter(cidr => added.includes(cidr)))
	const unrouted = new Set(
		changes.flatMap(change => (change.kind === 'removeRoute' && change.route.table === MAIN ? [change.route.to] : [])),
	)
	const words = changes.map(change => {
		const cidr = 'address' in change ? change.address.cidr : undefined
		if (cidr === undefined || !replaced.has(cidr)) return changeWords(change)
		return unrouted.has(networkOf(cidr)) ? `${cidr} replaced` : `${cidr} and its route in table main replaced`
	})
	return [...new Set(words)]
}

/** Maximum number of routes that are listed individually. */
const MOST_ROUTES = 4

/** If rules are added too, the whole table is new and its routes are not listed. */
function routesAdded(changes: readonly Change[]): string[] {
	if (changes.some(({ kind }) => kind === 'addRule')) return []
	const routes = withReplaced(changes.filter(({ kind }) => kind === 'addRoute'))
	return routes.length > MOST_ROUTES ? [`${routes.length} routes`] : routes
}

/** @returns `is ens7, down     rename, mtu 1450, 10.0.0.23/24, table 100 from 10.0.0.23`: the current state and the changes to it */
export function nicWords({ nic, link }: Accepted, { steps }: Plan): string {
	const own = steps.filter(({ id }) => id === nic.id)
	if (own.length === 0) return 'in sync'
	return `${linkWords(link)}  ${summary(changesIn(own), addressesOf(nic)).join(', ')}`
}

/** @returns `is ens7, down`, padded to the width of a column */
export function linkWords({ name, up }: Link): string {
	return `is ${name}, ${up ? 'up' : 'down'}`.padEnd(16)
}

function summary(changes: readonly Change[], addresses: readonly string[]): string[] {
	const has = (kind: Change['kind']) => changes.some(change => change.kind === kind)
	const table = changes.flatMap(change => (change.kind === 'addRule' ? [change.rule.table] : []))[0]
	const rules = table === undefined ? [] : [`table ${table} from ${addresses.map(cidr => cidr.slice(0, cidr.indexOf('/'))).join(', ')}`]
	const plain = changes.filter(({ kind }) => ['mtu', 'addAddress', 'removeAddress', 'removeRoute', 'removeRule'].includes(kind))
	return [
		has('rename') ? 'rename' : '',
		...withReplaced(plain),
		...routesAdded(changes),
		...rules,
		has('sysctl') ? 'settings' : '',
		has('writeFile') || has('removeFile') ? 'files' : '',
	].filter(Boolean)
}

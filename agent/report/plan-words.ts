import { networkOf } from '../../contract/ip.ts'
import { stepWords } from '../ip/change-words.ts'
import type { Change, Step } from '../model/change.ts'
import { addressesOf } from '../model/desired-network.ts'
import type { Link } from '../model/host-state.ts'
import { MAIN } from '../model/route.ts'
import type { Accepted } from '../model/selection.ts'
import { countChanges, type Plan } from '../plan/plan.ts'

/** @returns what these steps do for one interface, a few words per change; omits what only serves another change */
export function doneWords(steps: readonly Step[], id: number): string[] {
	return withReplaced(steps.filter(step => step.id === id && countChanges([step]) > 0))
}

/**
 * An address that is removed and added again is one change to a person, and so is a route that is added in two places of a plan. The kernel
 * adds the route to its network together with the address.
 */
function withReplaced(steps: readonly Step[]): string[] {
	const cidrs = (kind: Change['kind']) =>
		steps.flatMap(({ change }) => ('address' in change && change.kind === kind ? [change.address.cidr] : []))
	const added = cidrs('addAddress')
	const replaced = new Set(cidrs('removeAddress').filter(cidr => added.includes(cidr)))
	const unrouted = new Set(
		steps.flatMap(({ change }) => (change.kind === 'removeRoute' && change.route.table === MAIN ? [change.route.to] : [])),
	)
	const words = steps.map(step => {
		const cidr = 'address' in step.change ? step.change.address.cidr : undefined
		if (cidr === undefined || !replaced.has(cidr)) return stepWords(step)
		return unrouted.has(networkOf(cidr)) ? `${cidr} replaced` : `${cidr} and its route in table main replaced`
	})
	return [...new Set(words)]
}

/** Up to this many routes are listed individually. */
const MOST_ROUTES = 4

/** If rules are also added, everything is new and no route is listed. */
function routesAdded(steps: readonly Step[]): string[] {
	if (steps.some(({ change }) => change.kind === 'addRule')) return []
	const routes = withReplaced(steps.filter(({ change }) => change.kind === 'addRoute'))
	return routes.length > MOST_ROUTES ? [`${routes.length} routes`] : routes
}

/** @returns `is ens7, down     rename, mtu 1450, 10.0.0.23/24, table 100 from 10.0.0.23`: what is found, and what happens to it */
export function nicWords({ nic, link }: Accepted, { steps }: Plan): string {
	const own = steps.filter(({ id }) => id === nic.id)
	if (own.length === 0) return 'in sync'
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
	return [
		has('rename') ? 'rename' : '',
		...withReplaced(plain),
		...routesAdded(steps),
		...rules,
		has('sysctl') ? 'settings' : '',
		has('writeFile') || has('removeFile') ? 'files' : '',
	].filter(Boolean)
}

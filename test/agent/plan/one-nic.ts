import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import { type RecordedLink, recordFile } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { PreflightInput } from '../../../agent/plan/preflight-input.ts'
import type { Interface, OfNode, WantedInterface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { macOf, nicWith, type RecordFields, recordWith } from './network-builders.ts'
import { route as anyRoute } from './routing-objects.ts'

/** One interface, its NIC, and the host of that NIC: the input of the checks. The NIC is `ens7` with ifindex 3. */

export { macOf as mac } from './network-builders.ts'
export { address, routeOver } from './routing-objects.ts'

/** An interface with the MAC of its id, and the address 10.0.0.23/24. */
export function wantedNic({ id = 0, ...wish }: Partial<Interface> = {}, ofNode: OfNode = {}): WantedInterface {
	return nicWith({ id, macAddress: macOf(id), address: '10.0.0.23', cidr: '10.0.0.0/24', ...wish }, ofNode)
}

/** The record of a NIC that got the address 10.0.0.23/24. */
export function recordedNic({ id = 0, ...more }: RecordFields = {}): RecordedLink {
	return recordWith({ id, mac: macOf(id), name: `multinic${id}`, addresses: ['10.0.0.23/24'], ...more })
}

/** A static route over the NIC. */
export function route(to: string, more: Partial<Route> = {}): Route {
	return anyRoute(to, { link: 3, ...more })
}

/** A route without a link, such as a blackhole. */
export function routeWithoutLink(to: string, more: Partial<Route> = {}): Route {
	const { link: _, ...alone } = route(to, { type: 6, ...more })
	return alone
}

export function rule(more: Partial<Rule> = {}): Rule {
	return { family: 4, priority: 600, from: '0.0.0.0/0', table: 77, plain: false, words: 'from all lookup 77', ...more }
}

export type LinkWish = Partial<Link> & { ifindex: number; name: string }

export type OneNic = {
	nic?: Partial<Interface>
	ofNode?: OfNode
	link?: Partial<Link>
	/** Other links, each with its own MAC. */
	others?: readonly LinkWish[]
	host?: Partial<HostState>
	ours?: RecordedLink
	/** Other links in the record. */
	recorded?: readonly RecordedLink[]
	more?: Partial<Pick<PreflightInput, 'nodeAddresses' | 'apiServer' | 'needed' | 'own'>>
}

/** @returns the input of a check before the change */
export function inputOf({ nic, ofNode, link, others = [], host: state, ours, recorded = [], more }: OneNic): PreflightInput {
	const wanted = wantedNic(nic, ofNode)
	const own = { ifindex: 3, name: 'ens7', mac: wanted.macAddress, ...link }
	const record = recordFile({ version: 1, links: [...(ours ? [ours] : []), ...recorded] })
	const files = { ...(record && { [RECORD_PATH]: record }), ...state?.files }
	const host = hostWith([own, ...others.map(other => ({ mac: `02:00:00:00:00:${10 + other.ifindex}`, ...other }))], { ...state, files })
	return { nic: wanted, link: host.links[0] as Link, host, ours, nodeAddresses: [], interfaces: [wanted], own: new Set([3]), ...more }
}

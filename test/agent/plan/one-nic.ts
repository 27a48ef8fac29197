import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import { type RecordedLink, recordFile } from '../../../agent/model/record.ts'
import type { Route } from '../../../agent/model/route.ts'
import type { PreflightInput } from '../../../agent/plan/preflight-input.ts'
import { type Interface, Interfaces, type OfNode, settle, type WantedInterface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

/** One interface, its NIC, and the host of that NIC: the input of the checks. The NIC is `ens7` with ifindex 3. */

export const mac = (n: number) => `fa:16:3e:00:00:0${n}`

/** An interface with the MAC of its id, and the address 10.0.0.23/24. */
export function wantedNic({ id = 0, ...wish }: Partial<Interface> = {}, ofNode: OfNode = {}): WantedInterface {
	const settled = settle(Interfaces.parse([{ id, macAddress: mac(id), address: '10.0.0.23', cidr: '10.0.0.0/24', ...wish }]), ofNode)
	return settled[0] as WantedInterface
}

/** The record of a NIC that was `ens7` and down, and got the address 10.0.0.23/24. */
export function recordedNic({ id = 0, original, ...more }: Partial<Omit<RecordedLink, 'original'>> & Original = {}): RecordedLink {
	return {
		id,
		mac: mac(id),
		name: `multinic${id}`,
		original: { name: 'ens7', altnames: [], mtu: 1500, up: false, sysctls: {}, ...original },
		addresses: ['10.0.0.23/24'],
		former: [],
		routes: [],
		files: {},
		...more,
	}
}
type Original = { original?: Partial<RecordedLink['original']> }

export function address(cidr: string, more: Partial<Address> = {}): Address {
	return { family: cidr.includes(':') ? 6 : 4, cidr, global: true, dynamic: false, ...more }
}

/** A static route over the NIC. */
export function route(to: string, { link = 3, ...more }: Partial<Route> = {}): Route {
	const family = to.includes(':') ? 6 : 4
	return { family, to, link, table: 254, metric: family === 6 ? 1024 : 0, protocol: 4, type: 1, scope: 0, onlink: false, ...more }
}

/** A route with several next hops, one over each of these links. */
export function routeOver(to: string, links: readonly number[], more: Partial<Route> = {}): Route {
	const { link: _, ...alone } = route(to, more)
	return { ...alone, nextHops: links.map(link => ({ via: '10.9.0.1', link, weight: 1, onlink: false })) }
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

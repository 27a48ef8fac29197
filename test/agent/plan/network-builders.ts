import type { Address } from '../../../agent/model/address.ts'
import type { Change } from '../../../agent/model/change.ts'
import type { Link } from '../../../agent/model/host-state.ts'
import { familyOf } from '../../../agent/model/networks.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import { plainMetric, type Route } from '../../../agent/model/route.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { type Interface, Interfaces, settle, type WantedInterface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

/** Builders of the input of the files in agent/plan: each object has default values, except for the given fields. */

export const macOf = (n: number) => `fa:16:3e:00:00:0${n}`

export function addressWith(cidr: string, more: Partial<Address> = {}): Address {
	return { family: familyOf(cidr), cidr, global: !cidr.startsWith('fe80'), dynamic: false, ...more }
}

/** A static route in the main table. */
export function routeTo(to: string, more: Partial<Route> = {}): Route {
	const family = familyOf(to)
	return { family, to, table: 254, metric: plainMetric(family), protocol: 4, type: 1, scope: 0, onlink: false, ...more }
}

/** The link ens7 with index 3 and the MAC of interface 0. */
export function linkWith(more: Partial<Link> = {}): Link {
	return hostWith([{ ifindex: 3, name: 'ens7', mac: macOf(0), ...more }]).links[0] as Link
}

/** Interface 0. */
export function nicWith(more: Partial<Interface> = {}): WantedInterface {
	return settle(Interfaces.parse([{ id: 0, macAddress: macOf(0), ...more }]))[0] as WantedInterface
}

/** The record of interface 0. */
export function recordWith(more: Partial<RecordedLink> = {}): RecordedLink {
	const original = { name: 'ens7', altnames: [], mtu: 1500, up: false, sysctls: {} }
	return { mac: macOf(0), id: 0, name: 'multinic0', original, addresses: [], former: [], routes: [], files: {}, ...more }
}

export function selectionWith(more: Partial<Selection> = {}): Selection {
	return { accepted: [], refused: [], released: [], kept: [], moves: [], shared: new Map(), bases: [], ...more }
}

export function removal(cidr: string, more: Partial<Address> = {}): Change {
	return { kind: 'removeAddress', link: 3, address: addressWith(cidr, more) }
}

export function addition(cidr: string, more: Partial<Address> = {}): Change {
	return { kind: 'addAddress', link: 3, address: addressWith(cidr, more) }
}

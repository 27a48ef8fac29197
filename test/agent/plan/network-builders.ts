import type { Address } from '../../../agent/model/address.ts'
import type { Change } from '../../../agent/model/change.ts'
import type { Link } from '../../../agent/model/host-state.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Selection } from '../../../agent/model/selection.ts'
import { type Interface, Interfaces, type OfNode, settle, type WantedInterface } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'
import { address } from './routing-objects.ts'

/** Builders of the input of the files in agent/plan: each object has default values, except for the given fields. */

export const macOf = (n: number) => `fa:16:3e:00:00:0${n}`

export { address as addressWith, route as routeTo } from './routing-objects.ts'

/** The link ens7 with index 3 and the MAC of interface 0. */
export function linkWith(more: Partial<Link> = {}): Link {
	return hostWith([{ ifindex: 3, name: 'ens7', mac: macOf(0), ...more }]).links[0] as Link
}

/** Interface 0. */
export function nicWith(more: Partial<Interface> = {}, ofNode: OfNode = {}): WantedInterface {
	return settle(Interfaces.parse([{ id: 0, macAddress: macOf(0), ...more }]), ofNode)[0] as WantedInterface
}

/** Fields of a record; of the original state of the link, only some may be given. */
export type RecordFields = Partial<Omit<RecordedLink, 'original'>> & { original?: Partial<RecordedLink['original']> }

/** The record of interface 0, whose NIC was `ens7` and down. */
export function recordWith({ original, ...more }: RecordFields = {}): RecordedLink {
	return {
		...{ mac: macOf(0), id: 0, name: 'multinic0', addresses: [], former: [], routes: [], files: {} },
		original: { name: 'ens7', altnames: [], mtu: 1500, up: false, sysctls: {}, ...original },
		...more,
	}
}

export function selectionWith(more: Partial<Selection> = {}): Selection {
	return { accepted: [], refused: [], released: [], kept: [], moves: [], shared: new Map(), bases: [], ...more }
}

export function removal(cidr: string, more: Partial<Address> = {}): Change {
	return { kind: 'removeAddress', link: 3, address: address(cidr, more) }
}

export function addition(cidr: string, more: Partial<Address> = {}): Change {
	return { kind: 'addAddress', link: 3, address: address(cidr, more) }
}

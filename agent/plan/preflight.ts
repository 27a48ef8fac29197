import type { WantedInterface } from '../../contract/interface.ts'
import type { HostState, Link } from '../host/state.ts'
import { isAddressOfTheNode, isNeededElsewhere, isWantedTwice } from './address-checks.ts'
import { type Check, firstOf } from './check.ts'
import { isDefinedTwice } from './definition-checks.ts'
import { holdsDefaultRoute, sharesRoute } from './default-route-checks.ts'
import { ipv6DisabledOnLink, kernelWithoutIpv6 } from './ipv6-checks.ts'
import { holdsForeignAddress, holdsNodeAddress, keptByNetworkd, nameCannotBeSpelled, saysTheUnknown } from './link-checks.ts'
import type { Refusal } from './match.ts'
import { mtuOutOfRange, mtuTooSmallForIpv6 } from './mtu-checks.ts'
import type { RecordedLink } from './record.ts'
import { wantsRouteTwice } from './route-checks.ts'
import { isTableLookedUp, tableIsOfAnother, tableServesOthers } from './table-checks.ts'
import { isDisturbed, isNamedByRule, isUsedByOthers } from './use-checks.ts'

export type Question = {
	nic: WantedInterface
	link: Link
	host: HostState
	/** What we remember of the link, if it was ours already. */
	ours: RecordedLink | undefined
	nodeAddresses: readonly string[]
	/** Host of the API server, as this run reaches it. */
	apiServer?: string | undefined
	/** Addresses that the node needs: API server, nameservers. */
	needed?: readonly string[] | undefined
	/** All that the node config wants. */
	interfaces: readonly WantedInterface[]
	/** Of the links that are ours, or are to be. */
	own: ReadonlySet<number>
}

/** Read top to bottom: the first that finds something refuses the interface before anything is changed. */
export const preflightChecks: readonly Check<Question>[] = [
	isUsedByOthers,
	holdsNodeAddress,
	holdsDefaultRoute,
	sharesRoute,
	holdsForeignAddress,
	isAddressOfTheNode,
	isNeededElsewhere,
	isWantedTwice,
	wantsRouteTwice,
	isNamedByRule,
	isDisturbed,
	isTableLookedUp,
	tableServesOthers,
	tableIsOfAnother,
	keptByNetworkd,
	isDefinedTwice,
	nameCannotBeSpelled,
	saysTheUnknown,
	mtuOutOfRange,
	mtuTooSmallForIpv6,
	kernelWithoutIpv6,
	ipv6DisabledOnLink,
]

/** May this link become this interface? Undefined: no check objects. */
export function preflight(question: Question): Refusal | undefined {
	return firstOf(preflightChecks, question)
}

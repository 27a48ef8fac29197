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
	/** The record of the link, if MultiNIC already manages it. */
	ours: RecordedLink | undefined
	nodeAddresses: readonly string[]
	/** Host of the API server, as this run reaches it. */
	apiServer?: string | undefined
	/** Addresses that the node needs: API server, nameservers. */
	needed?: readonly string[] | undefined
	/** All interfaces of the node config. */
	interfaces: readonly WantedInterface[]
	/** ifindexes of the links that are, or will be, managed by MultiNIC. */
	own: ReadonlySet<number>
}

/** Run in order: the first one that finds a cause refuses the interface before anything is changed. */
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

/** Returns why this link cannot become this interface; undefined: no check refuses it. */
export function preflight(question: Question): Refusal | undefined {
	return firstOf(preflightChecks, question)
}

import { type Check, firstOf, type Refusal } from '../model/check.ts'
import { isAddressOfTheNode, isNeededElsewhere, isWantedTwice } from './address-checks.ts'
import { holdsDefaultRoute, sharesRoute } from './default-route-checks.ts'
import { isDefinedTwice } from './definition-checks.ts'
import { ipv6DisabledOnLink, kernelWithoutIpv6 } from './ipv6-checks.ts'
import { holdsForeignAddress, holdsNodeAddress, keptByNetworkd, nameCannotBeSpelled, saysTheUnknown } from './link-checks.ts'
import { mtuOutOfRange, mtuTooSmallForIpv6 } from './mtu-checks.ts'
import type { Question } from './preflight-input.ts'
import { wantsRouteTwice } from './route-checks.ts'
import { isTableLookedUp, tableIsOfAnother, tableServesOthers } from './table-checks.ts'
import { isDisturbed, isNamedByRule, isUsedByOthers } from './use-checks.ts'

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

import { firstRefusal, type Refusal, type RefusalCheck } from '../model/check.ts'
import { addressOfTheNode, neededElsewhere, wantedTwice } from './address-checks.ts'
import { holdsDefaultRoute, sharesRoute } from './default-route-checks.ts'
import { definedTwice } from './definition-checks.ts'
import { ipv6DisabledOnLink, kernelWithoutIpv6 } from './ipv6-checks.ts'
import { holdsForeignAddress, holdsNodeAddress, keptByNetworkd, nameCannotBeSpelled, unknownKeysOnLink } from './link-checks.ts'
import { mtuOutOfRange, mtuTooSmallForIpv6 } from './mtu-checks.ts'
import type { PreflightInput } from './preflight-input.ts'
import { wantsRouteTwice } from './route-checks.ts'
import { tableLookedUp, tableOfAnotherNic, tableServesOthers } from './table-checks.ts'
import { disturbedByChange, ruleNamesLink, usedByOthers } from './in-use-checks.ts'

/** Run in order: the first check that finds a cause refuses the interface before anything is changed. */
export const preflightChecks: readonly RefusalCheck<PreflightInput>[] = [
	usedByOthers,
	holdsNodeAddress,
	holdsDefaultRoute,
	sharesRoute,
	holdsForeignAddress,
	addressOfTheNode,
	neededElsewhere,
	wantedTwice,
	wantsRouteTwice,
	ruleNamesLink,
	disturbedByChange,
	tableLookedUp,
	tableServesOthers,
	tableOfAnotherNic,
	keptByNetworkd,
	definedTwice,
	nameCannotBeSpelled,
	unknownKeysOnLink,
	mtuOutOfRange,
	mtuTooSmallForIpv6,
	kernelWithoutIpv6,
	ipv6DisabledOnLink,
]

/** Returns why this link cannot be configured as this interface; undefined: no check refuses it. */
export function preflight(input: PreflightInput): Refusal | undefined {
	return firstRefusal(preflightChecks, input)
}

import type { WantedInterface } from '../../contract/interface.ts'
import { basesInUse } from '../model/bases.ts'
import { firstRefusal, type Refusal, type RefusalCheck } from '../model/check.ts'
import type { HostState } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import { type HostRecord, recorded, recordOf } from '../model/record.ts'
import type { Accepted, Kept, Leaving, Placed, Refused, Released, Selection } from '../model/selection.ts'
import { absence, releasedLater } from './absence-checks.ts'
import { onAnotherLink } from './address-checks.ts'
import { profileOnTop } from './definition-checks.ts'
import { losesForeignAddress } from './link-checks.ts'
import { movesOf, nameTaken } from './link-names.ts'
import { isRefusal, matchLink } from './match-link.ts'
import { ownLinks } from './own-links.ts'
import { predictedRefusals } from './predicted-refusals.ts'
import { preflight } from './preflight.ts'
import { inNoTable, meetsRouteOfOthers, nextHopElsewhere, withSharing } from './sharing-checks.ts'
import { disturbedByDaemon, disturbedByRemoval } from './in-use-checks.ts'
import type { Wanted } from './wanted.ts'

/**
 * Matches interfaces to links, and determines which links may be changed and which are released. Refuses interfaces that would break a
 * route according to the routing model.
 */
export function select(wanted: Wanted, host: HostState): Selection {
	const selection = selectLinks(wanted, host)
	const refusals = predictedRefusals(selection, wanted.needed ?? [], host)
	return refusals.size === 0 ? selection : select({ ...wanted, failed: new Map([...refusals, ...wanted.failed]) }, host)
}

function selectLinks(wanted: Wanted, host: HostState): Selection {
	const record = recordOf(host)
	const macs = new Set(wanted.interfaces.map(nic => nic.macAddress))
	const { released, kept } = leaving(record, macs, { wanted, host })
	const { accepted, refused } = byVerdict(judgeAll(wanted, { host, record, released }))
	const bases = basesInUse(wanted.interfaces, record)
	return withPlaceChecks({ accepted, refused, released, kept, moves: [], shared: new Map(), bases }, wanted, host)
}

/** Checks that refuse a removal: the link then stays as it is, and the run reports it. */
export const removalChecks: readonly RefusalCheck<Leaving>[] = [releasedLater, disturbedByRemoval, losesForeignAddress, profileOnTop]

function leaving({ links }: HostRecord, macs: ReadonlySet<string>, { wanted, host }: { wanted: Wanted; host: HostState }) {
	const all = links
		.filter(({ mac }) => !macs.has(mac))
		.map(ours => ({ ours, link: host.links.find(link => identityOf(link) === ours.mac) }))
	const kept = all.flatMap((one): Kept[] => {
		const refusal = wanted.kept?.get(one.ours.mac) ?? firstRefusal(removalChecks, { ...one, host })
		return refusal ? [{ ...one, refusal }] : []
	})
	return { released: all.filter(({ ours }) => !kept.some(one => one.ours === ours)), kept }
}

type SelectInput = { host: HostState; record: HostRecord; released: readonly Released[] }

/** Repeats the checks if something else uses a link, because they must then not treat that link as managed by MultiNIC. */
function judgeAll(wanted: Wanted, { host, record, released }: SelectInput): (Accepted | Refused)[] {
	const leaving = released.flatMap(({ link }) => link?.ifindex ?? [])
	const named = wanted.interfaces.flatMap(nic => {
		const link = matchLink(nic.macAddress, host.links, wanted.kinds)
		return isRefusal(link) ? [] : [link.ifindex]
	})
	const judgeWith = (own: ReadonlySet<number>) => wanted.interfaces.map(nic => judgeOne(nic, wanted, { host, record, own }))
	const first = judgeWith(new Set([...named, ...leaving]))
	const own = ownLinks({ ...byVerdict(first), kept: [] }, host)
	return named.every(link => own.has(link)) ? first : judgeWith(new Set([...own, ...leaving]))
}

function byVerdict(judged: readonly (Accepted | Refused)[]): { accepted: Accepted[]; refused: Refused[] } {
	return { accepted: judged.filter(one => 'ours' in one), refused: judged.filter(one => 'refusal' in one) }
}

type JudgeInput = { host: HostState; record: HostRecord; own: ReadonlySet<number> }

function judgeOne(nic: WantedInterface, wanted: Wanted, { host, record, own }: JudgeInput): Accepted | Refused {
	const link = matchLink(nic.macAddress, host.links, wanted.kinds)
	const ours = recorded(record, nic.macAddress)
	if (isRefusal(link)) return { nic, refusal: (link.reason === 'WaitingForDevice' && absence({ ours, host })) || link }
	// The checks of the link come first: if something else uses it, another failure must not cause it to be treated as managed by MultiNIC.
	const refusal = preflight({ ...wanted, nic, link, host, ours, own: new Set([...own, link.ifindex]) }) ?? wanted.failed.get(nic.id)
	return refusal ? { nic, refusal, link } : { nic, link, ours }
}

/**
 * Checks an interface against the other accepted ones. A refused interface keeps its name, addresses and network, so it may cause another
 * refusal.
 */
export const placeChecks: readonly RefusalCheck<Placed>[] = [
	onAnotherLink,
	disturbedByDaemon,
	nameTaken,
	inNoTable,
	meetsRouteOfOthers,
	nextHopElsewhere,
]

function withPlaceChecks(found: Selection, wanted: Wanted, host: HostState): Selection {
	const selection = withSharing({ ...found, moves: movesOf(found, host) }, wanted, host)
	for (const accepted of selection.accepted) {
		const refusal = firstRefusal(placeChecks, { accepted, selection, host })
		if (refusal) return withPlaceChecks(without(accepted, refusal, selection), wanted, host)
	}
	return selection
}

function without(blocked: Accepted, refusal: Refusal, selection: Selection): Selection {
	const accepted = selection.accepted.filter(other => other !== blocked)
	return { ...selection, accepted, refused: [...selection.refused, { nic: blocked.nic, refusal, link: blocked.link }] }
}

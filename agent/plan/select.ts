import type { WantedInterface } from '../../contract/interface.ts'
import { basesInUse } from '../model/bases.ts'
import { type Check, firstOf, type Refusal } from '../model/check.ts'
import type { HostState } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import { type HostRecord, recorded, recordOf } from '../model/record.ts'
import type { Accepted, Kept, Leaving, Placed, Refused, Released, Selection } from '../model/selection.ts'
import { absence, isReleasedLater } from './absence-checks.ts'
import { isOnAnotherLink } from './address-checks.ts'
import { hasProfileOnTop } from './definition-checks.ts'
import { losesForeignAddress } from './link-checks.ts'
import { isNameTaken, movesOf } from './link-names.ts'
import { isRefusal, match } from './match-link.ts'
import { ownLinks } from './own-links.ts'
import { foreseen } from './predicted-refusals.ts'
import { preflight } from './preflight.ts'
import { isInNoTable, isNextHopElsewhere, meetsRouteOfOthers, withSharing } from './sharing-checks.ts'
import { isDisturbedByDaemon, isDisturbedByRemoval } from './use-checks.ts'
import type { Wanted } from './wanted.ts'

/**
 * Selects which link is which interface, which links may be changed, and which are released; refuses what would break a route in the model.
 */
export function select(wanted: Wanted, host: HostState): Selection {
	const selection = selectLinks(wanted, host)
	const refusals = foreseen(selection, wanted.needed ?? [], host)
	return refusals.size === 0 ? selection : select({ ...wanted, failed: new Map([...refusals, ...wanted.failed]) }, host)
}

function selectLinks(wanted: Wanted, host: HostState): Selection {
	const record = recordOf(host)
	const macs = new Set(wanted.interfaces.map(nic => nic.macAddress))
	const { released, kept } = leaving(record, macs, { wanted, host })
	const { accepted, refused } = byVerdict(judgeAll(wanted, { host, record, released }))
	const bases = basesInUse(wanted.interfaces, record)
	return settled({ accepted, refused, released, kept, moves: [], shared: new Map(), bases }, wanted, host)
}

/** Checks that refuse a removal: the link then stays as it is, and the run reports it. */
export const removalChecks: readonly Check<Leaving>[] = [isReleasedLater, isDisturbedByRemoval, losesForeignAddress, hasProfileOnTop]

function leaving({ links }: HostRecord, macs: ReadonlySet<string>, { wanted, host }: { wanted: Wanted; host: HostState }) {
	const all = links
		.filter(({ mac }) => !macs.has(mac))
		.map(ours => ({ ours, link: host.links.find(link => identityOf(link) === ours.mac) }))
	const kept = all.flatMap((one): Kept[] => {
		const refusal = wanted.kept?.get(one.ours.mac) ?? firstOf(removalChecks, { ...one, host })
		return refusal ? [{ ...one, refusal }] : []
	})
	return { released: all.filter(({ ours }) => !kept.some(one => one.ours === ours)), kept }
}

type World = { host: HostState; record: HostRecord; released: readonly Released[] }

/** Judges again if a link serves something else: a check of who manages a link must not count that one as managed by MultiNIC. */
function judgeAll(wanted: Wanted, { host, record, released }: World): (Accepted | Refused)[] {
	const leaving = released.flatMap(({ link }) => link?.ifindex ?? [])
	const named = wanted.interfaces.flatMap(nic => {
		const link = match(nic.macAddress, host.links, wanted.kinds)
		return isRefusal(link) ? [] : [link.ifindex]
	})
	const judgeWith = (own: ReadonlySet<number>) => wanted.interfaces.map(nic => judge(nic, wanted, { host, record, own }))
	const first = judgeWith(new Set([...named, ...leaving]))
	const own = ownLinks({ ...byVerdict(first), kept: [] }, host)
	return named.every(link => own.has(link)) ? first : judgeWith(new Set([...own, ...leaving]))
}

function byVerdict(judged: readonly (Accepted | Refused)[]): { accepted: Accepted[]; refused: Refused[] } {
	return { accepted: judged.filter(one => 'ours' in one), refused: judged.filter(one => 'refusal' in one) }
}

type Known = { host: HostState; record: HostRecord; own: ReadonlySet<number> }

function judge(nic: WantedInterface, wanted: Wanted, { host, record, own }: Known): Accepted | Refused {
	const link = match(nic.macAddress, host.links, wanted.kinds)
	const ours = recorded(record, nic.macAddress)
	if (isRefusal(link)) return { nic, refusal: (link.reason === 'WaitingForDevice' && absence({ ours, host })) || link }
	// The checks of the link come first: if it serves something else, another failure must not make it count as managed by MultiNIC.
	const refusal = preflight({ ...wanted, nic, link, host, ours, own: new Set([...own, link.ifindex]) }) ?? wanted.failed.get(nic.id)
	return refusal ? { nic, refusal, link } : { nic, link, ours }
}

/** Checks of an interface among all accepted ones: a refused one keeps its name, addresses and network, and so may refuse the next. */
export const placeChecks: readonly Check<Placed>[] = [
	isOnAnotherLink,
	isDisturbedByDaemon,
	isNameTaken,
	isInNoTable,
	meetsRouteOfOthers,
	isNextHopElsewhere,
]

function settled(found: Selection, wanted: Wanted, host: HostState): Selection {
	const selection = withSharing({ ...found, moves: movesOf(found, host) }, wanted, host)
	for (const accepted of selection.accepted) {
		const refusal = firstOf(placeChecks, { accepted, selection, host })
		if (refusal) return settled(without(accepted, refusal, selection), wanted, host)
	}
	return selection
}

function without(blocked: Accepted, refusal: Refusal, selection: Selection): Selection {
	const accepted = selection.accepted.filter(other => other !== blocked)
	return { ...selection, accepted, refused: [...selection.refused, { nic: blocked.nic, refusal, link: blocked.link }] }
}

import type { WantedInterface } from '../../contract/interface.ts'
import type { HostState, Link } from '../host/state.ts'
import { identityOf, isRefusal, type LinkKinds, match, type Refusal } from './match.ts'
import { preflight } from './preflight.ts'
import { type HostRecord, parseRecord, recorded, type RecordedLink } from './record.ts'
import { RECORD_PATH } from '../paths.ts'
import { type Move, temporaryName } from './rename.ts'

export type Accepted = { nic: WantedInterface; link: Link; ours: RecordedLink | undefined }
export type Refused = { nic: WantedInterface; refusal: Refusal }
/** A link that was ours and no longer is wanted; `link` absent: it is not there any more. */
export type Released = { ours: RecordedLink; link: Link | undefined }
export type Selection = { accepted: Accepted[]; refused: Refused[]; released: Released[]; moves: Move[] }

export type Wanted = {
	interfaces: readonly WantedInterface[]
	nodeAddresses: readonly string[]
	kinds: LinkKinds
	/** Interfaces that this run has tried in vain. */
	failed: ReadonlyMap<number, Refusal>
}

/** Which link is which interface, which may be touched, which is to be given back. */
export function select(wanted: Wanted, host: HostState): Selection {
	const record = recordOf(host)
	const macs = new Set(wanted.interfaces.map(nic => nic.macAddress))
	const isOwn = (mac: string) => macs.has(mac) || recorded(record, mac) !== undefined
	const own = new Set(host.links.flatMap(link => (isOwn(identityOf(link)) ? [link.ifindex] : [])))
	const judged = wanted.interfaces.map(nic => judge(nic, wanted, { host, record, own }))
	const released = record.links
		.filter(({ mac }) => !macs.has(mac))
		.map(ours => ({ ours, link: host.links.find(link => identityOf(link) === ours.mac) }))
	return settleNames(
		{
			accepted: judged.filter(found => 'link' in found),
			refused: judged.filter(found => 'refusal' in found),
			released,
			moves: [],
		},
		host,
	)
}

/** @returns what the host remembers of us; `attempt` has made sure that it can be read */
export function recordOf(host: HostState): HostRecord {
	return parseRecord(host.files[RECORD_PATH])
}

type Known = { host: HostState; record: HostRecord; own: ReadonlySet<number> }

function judge(nic: WantedInterface, wanted: Wanted, { host, record, own }: Known): Accepted | Refused {
	const link = match(nic.macAddress, host.links, wanted.kinds)
	if (isRefusal(link)) return { nic, refusal: link }
	const earlier = wanted.failed.get(nic.id)
	if (earlier) return { nic, refusal: earlier }
	const ours = recorded(record, nic.macAddress)
	const refusal = preflight({ nic, link, host, ours, nodeAddresses: wanted.nodeAddresses, own })
	return refusal ? { nic, refusal } : { nic, link, ours }
}

/** A wanted name that stays held by another link refuses its interface, and so may free or block the next: until nothing changes. */
function settleNames(selection: Selection, host: HostState): Selection {
	const moves = movesOf(selection, host)
	const blocked = selection.accepted.find(({ nic, link }) => holderOf(nic.name, link, moves, host))
	if (!blocked) return { ...selection, moves }
	const holder = holderOf(blocked.nic.name, blocked.link, moves, host)
	const refusal: Refusal = {
		reason: 'NameTaken',
		message: `${blocked.nic.name} is the name of another link (ifindex ${holder?.ifindex}), which is not ours to rename`,
	}
	const accepted = selection.accepted.filter(other => other !== blocked)
	return settleNames({ ...selection, accepted, refused: [...selection.refused, { nic: blocked.nic, refusal }] }, host)
}

function movesOf({ accepted, refused, released }: Selection, host: HostState): Move[] {
	const wanted = accepted.map(({ nic, link }) => ({ link: link.ifindex, from: link.name, to: nic.name }))
	const leaving = [...released, ...strandedOf(refused, wanted, host)].flatMap(({ ours, link }) =>
		link ? [{ link: link.ifindex, from: link.name, to: ours.original.name }] : [],
	)
	const back = goingBack(
		leaving.filter(firstTo).filter(({ to }) => !wanted.some(move => move.to === to)),
		wanted,
		host,
	)
	return [...wanted, ...back, ...makingWay(leaving, [...wanted, ...back])]
}

/** Those whose old name is or becomes free; one that has to stay may hold the name of the next. */
function goingBack(leaving: readonly Move[], wanted: readonly Move[], host: HostState): Move[] {
	const free = leaving.filter(move => !staysHeld(move, [...wanted, ...leaving], host))
	return free.length === leaving.length ? free : goingBack(free, wanted, host)
}

/** A link that cannot have its old name keeps the one it has; if that one is wanted, it makes way for it. */
function makingWay(leaving: readonly Move[], moves: readonly Move[]): Move[] {
	const stuck = leaving.filter(({ link }) => !moves.some(move => move.link === link))
	return stuck.filter(({ from }) => moves.some(({ to }) => to === from)).map(move => ({ ...move, to: temporaryName(move.link) }))
}

function firstTo({ to }: Move, at: number, moves: readonly Move[]): boolean {
	return moves.findIndex(move => move.to === to) === at
}

/** A link we once renamed and that this run cannot configure still has to give up a name that is wanted by another. */
function strandedOf(refused: readonly Refused[], wanted: readonly Move[], host: HostState): Released[] {
	const record = recordOf(host)
	return refused.flatMap(({ nic }) => {
		const ours = recorded(record, nic.macAddress)
		const link = host.links.find(candidate => identityOf(candidate) === nic.macAddress)
		return ours && link && wanted.some(({ to }) => to === link.name) ? [{ ours, link }] : []
	})
}

function staysHeld({ link, to }: Move, moves: readonly Move[], host: HostState): boolean {
	const holder = host.links.find(other => other.ifindex !== link && (other.name === to || other.altnames.includes(to)))
	return holder !== undefined && !moves.some(move => move.link === holder.ifindex && move.to !== to)
}

function holderOf(name: string, own: Link, moves: readonly Move[], host: HostState): Link | undefined {
	return host.links.find(other => {
		if (other.ifindex === own.ifindex) return false
		if (other.altnames.includes(name)) return true
		return other.name === name && !moves.some(({ link, to }) => link === other.ifindex && to !== name)
	})
}

import type { RefusalCheck } from '../model/check.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { identityOf } from '../model/link-identity.ts'
import { recorded, recordOf } from '../model/record.ts'
import type { Move, Placed, Refused, Released, Selection } from '../model/selection.ts'
import { namedByRule, usesOf } from './link-uses.ts'
import { temporaryName } from './rename-order.ts'

/** Determines which link gets which name, and which links block a desired name. */

export const nameTaken: RefusalCheck<Placed> = {
	reason: 'NameTaken',
	when: 'another link has `multinicN` as its name or alternative name, and MultiNIC must not rename it',
	see: 'ip -d link show dev multinic0',
	find({ accepted: { nic, link }, selection, host }) {
		const holder = holderOf(nic.name, link, selection.moves, host)
		if (!holder) return
		const says = `${nic.name} is the name of another link (index ${holder.ifindex})`
		const used = usesOf(holder, host)[0] ?? namedByRule(holder, host)
		if (used) return { says: `${says}, which is in use: ${used.says}`, see: used.see }
		return { says: `${says}, which MultiNIC must not rename`, see: `ip -d link show dev ${nic.name}` }
	},
}

export function movesOf({ accepted, refused, released }: Selection, host: HostState): Move[] {
	const wanted = accepted.map(({ nic, link }) => ({ link: link.ifindex, from: link.name, to: nic.name }))
	const leaving = [...released, ...refusedHoldingWantedName(refused, wanted, host)].flatMap(({ ours, link }) =>
		link ? [{ link: link.ifindex, from: link.name, to: ours.original.name }] : [],
	)
	const back = restorableNames(
		leaving.filter(isFirstClaimant).filter(({ to }) => !wanted.some(move => move.to === to)),
		wanted,
		host,
	)
	return [...wanted, ...back, ...moveAside(leaving, [...wanted, ...back])]
}

/**
 * Returns the renames to an original name that is or becomes free. Repeats the check, because a link that keeps its name may block
 * another.
 */
function restorableNames(leaving: readonly Move[], wanted: readonly Move[], host: HostState): Move[] {
	const free = leaving.filter(move => !isNameKept(move, [...wanted, ...leaving], host))
	return free.length === leaving.length ? free : restorableNames(free, wanted, host)
}

/**
 * A link that cannot get its original name keeps its current one; if another link gets that name, the first link gets a temporary name.
 */
function moveAside(leaving: readonly Move[], moves: readonly Move[]): Move[] {
	const stuck = leaving.filter(({ link }) => !moves.some(move => move.link === link))
	return stuck.filter(({ from }) => moves.some(({ to }) => to === from)).map(move => ({ ...move, to: temporaryName(move.link) }))
}

function isFirstClaimant({ to }: Move, at: number, moves: readonly Move[]): boolean {
	return moves.findIndex(move => move.to === to) === at
}

/** A link that MultiNIC renamed and this run refuses must still give up a name that another link gets, unless the first link is in use. */
function refusedHoldingWantedName(refused: readonly Refused[], wanted: readonly Move[], host: HostState): Released[] {
	const record = recordOf(host)
	return refused.flatMap(({ nic }) => {
		const ours = recorded(record, nic.macAddress)
		const link = host.links.find(candidate => identityOf(candidate) === nic.macAddress)
		const isFree = link && usesOf(link, host).length === 0 && !namedByRule(link, host)
		return ours && isFree && wanted.some(({ to }) => to === link.name) ? [{ ours, link }] : []
	})
}

/** A rename frees the name of a link, but not its alternative names. */
function isNameKept({ link, to }: Move, moves: readonly Move[], host: HostState): boolean {
	return host.links.some(({ ifindex, name, altnames }) => {
		if (ifindex === link) return false
		return altnames.includes(to) || (name === to && !moves.some(move => move.link === ifindex))
	})
}

function holderOf(name: string, own: Link, moves: readonly Move[], host: HostState): Link | undefined {
	return host.links.find(other => {
		if (other.ifindex === own.ifindex) return false
		if (other.altnames.includes(name)) return true
		return other.name === name && !moves.some(({ link, to }) => link === other.ifindex && to !== name)
	})
}

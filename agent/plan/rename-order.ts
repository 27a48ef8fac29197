import type { UndoStep } from '../model/change.ts'
import type { Surroundings } from '../model/host-state.ts'
import type { Move } from '../model/selection.ts'

/** Renames in an order that the kernel accepts. The network daemons must have processed the first phase before the second one starts. */
export type Renames = { first: { link: number; to: string }[]; second: { link: number; to: string }[] }

/** @returns a wait until udev and the network daemons have detected these names; none if the host has no such daemon */
export function waitForNames(names: readonly string[], { systemd, networkd, networkmanager }: Surroundings): UndoStep[] {
	return names.length > 0 && (systemd || networkd || networkmanager) ? [{ action: { kind: 'waitForNames', names } }] : []
}

/** @returns a temporary name that is unique per ifindex, and fits into 15 characters for any ifindex */
export function temporaryName(link: number): string {
	return `mntmp${link}`
}

/**
 * Orders any permutation of names: a link is renamed directly if its desired name is free, else in the second phase. Until then it has a
 * temporary name if another link needs its current one.
 *
 * A name that another link has just released is not used in the same phase: daemons detect renames late and would find the name on two
 * links.
 *
 * @param moves must have distinct target names; no link outside this list may have one of these names
 */
export function orderRenames(moves: readonly Move[]): Renames {
	const needed = moves.filter(({ from, to }) => from !== to)
	const held = new Set(needed.map(({ from }) => from))
	const wanted = new Set(needed.map(({ to }) => to))
	const straight = needed.filter(({ to }) => !held.has(to))
	const blocked = needed.filter(({ to }) => held.has(to))
	const aside = blocked.filter(({ from }) => wanted.has(from))
	return {
		first: [...straight.map(({ link, to }) => ({ link, to })), ...aside.map(({ link }) => ({ link, to: temporaryName(link) }))],
		second: blocked.map(({ link, to }) => ({ link, to })),
	}
}

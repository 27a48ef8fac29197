import type { UndoStep } from '../model/change.ts'
import type { Surroundings } from '../model/host-state.ts'
import type { Move } from '../model/selection.ts'

/** Renames in an order that the kernel accepts. The network daemons must have seen the first phase before the second one. */
export type Renames = { first: { link: number; to: string }[]; second: { link: number; to: string }[] }

/** @returns a wait until udev and the network daemons know these names; none if the host has no such daemon */
export function waitForNames(names: readonly string[], { systemd, networkd, networkmanager }: Surroundings): UndoStep[] {
	return names.length > 0 && (systemd || networkd || networkmanager) ? [{ action: { kind: 'waitForNames', names } }] : []
}

/** @returns a name that no other link can have: 15 characters fit any ifindex up to 999 999 999 */
export function temporaryName(link: number): string {
	return `mntmp${link}`
}

/**
 * Orders any permutation: a link is renamed directly if the desired name is free, else in the second phase. Until then it has a temporary
 * name if its current one is desired.
 *
 * A name that another link has just released is not used in the same phase: daemons learn of names late and would see it twice.
 *
 * @param moves no two to the same name, and no desired name held by a link that is not among them
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

import type { Surroundings } from '../host/state.ts'
import type { Change } from './steps.ts'

/** A link that is to have another name. */
export type Move = { link: number; from: string; to: string }

/** Renames in the order in which the kernel takes them. Between the two phases the network daemons must have seen the first. */
export type Renames = { first: { link: number; to: string }[]; second: { link: number; to: string }[] }

/** @returns a wait until udev and the network daemons know these names; none where there is nobody to wait for */
export function waitingFor(names: readonly string[], { systemd, networkd, networkmanager }: Surroundings): Change[] {
	return names.length > 0 && (systemd || networkd || networkmanager) ? [{ kind: 'seen', names }] : []
}

/** @returns a name no other link can have: 15 characters hold any ifindex up to 999 999 999 */
export function temporaryName(link: number): string {
	return `mntmp${link}`
}

/**
 * Any permutation: straight where the wanted name is free, else out of the way first, under a temporary name.
 *
 * A name that another link just gave up is not taken in the same phase: daemons learn of names late and would see it twice.
 *
 * @param moves no two to the same name, and no wanted name held by a link that is not among them
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

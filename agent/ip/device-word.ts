import type { Link } from '../model/host-state.ts'

/**
 * How to identify a link to `ip`. It accepts `if3` for the link with ifindex 3, but only if no link has that word as its name or as an
 * alternative name. A name has at most 15 characters and an alternative name 127, and `ip` reads the number with leading zeros. A longer
 * word is therefore always the number.
 */
export type Device = (ifindex: number) => string

/** Digits of a word that cannot be a name (tested with iproute2 6.1: every command except `link show`, which a run does not use). */
const DIGITS = 130

/** Word that `ip` gets. */
export const deviceWord: Device = ifindex => `if${String(ifindex).padStart(DIGITS, '0')}`

/**
 * Word for an `ip` without alternative names (before 5.5), which accepts no word longer than a name.
 *
 * @param names of all links
 */
export function deviceWordAmong(names: ReadonlySet<string>): Device {
	return ifindex => {
		const number = String(ifindex)
		const lengths = Array.from({ length: 14 - number.length }, (_, at) => 13 - at)
		return lengths.map(length => `if${number.padStart(length, '0')}`).find(word => !names.has(word)) ?? deviceWord(ifindex)
	}
}

/** Word that people see: `if3`, or `if03` if a link is called `if3`. */
export function shownDevice(links: readonly Pick<Link, 'name' | 'altnames'>[] = []): Device {
	const names = new Set(links.flatMap(({ name, altnames }) => [name, ...altnames]))
	return ifindex => {
		let number = String(ifindex)
		while (names.has(`if${number}`)) number = `0${number}`
		return `if${number}`
	}
}

/** @returns the output of `ip` with links as people see them */
export function withShortDevices(said: string): string {
	return said.replace(/\bif0{100,}(\d+)/g, 'if$1')
}

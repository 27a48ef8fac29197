import type { Link } from '../model/host-state.ts'

/**
 * How to identify a link to `ip`. `ip` accepts `if3` for the link with ifindex 3, but only if no link has `if3` as its name or altname. A
 * name has at most 15 characters and an altname at most 127, and `ip` accepts leading zeros in the number. A longer word is therefore
 * always taken as the number.
 */
export type Device = (ifindex: number) => string

/**
 * Number of digits that makes a word too long for a name (tested with iproute2 6.1: every command except `link show`, which a run does not
 * use).
 */
const DIGITS = 130

/** The word that is passed to `ip`. */
export const deviceWord: Device = ifindex => `if${String(ifindex).padStart(DIGITS, '0')}`

/**
 * The word for an `ip` without altnames (before 5.5), which accepts no word longer than a name.
 *
 * @param names names of all links
 */
export function deviceWordAmong(names: ReadonlySet<string>): Device {
	return ifindex => {
		const number = String(ifindex)
		const lengths = Array.from({ length: 14 - number.length }, (_, at) => 13 - at)
		return lengths.map(length => `if${number.padStart(length, '0')}`).find(word => !names.has(word)) ?? deviceWord(ifindex)
	}
}

/** The word that users see: `if3`, or `if03` if a link is called `if3`. */
export function shownDevice(links: readonly Pick<Link, 'name' | 'altnames'>[] = []): Device {
	const names = new Set(links.flatMap(({ name, altnames }) => [name, ...altnames]))
	return ifindex => {
		let number = String(ifindex)
		while (names.has(`if${number}`)) number = `0${number}`
		return `if${number}`
	}
}

/** @returns the output of `ip` with links in the form that users see */
export function withShortDevices(said: string): string {
	return said.replace(/\bif0{100,}(\d+)/g, 'if$1')
}

import type { Link } from './state.ts'

/**
 * How `ip` is told which link is meant. It takes `if3` for the link with ifindex 3, but only where no link has that word as its name or
 * as another name. A name has 15 characters at most and another name 127, and `ip` reads the number with leading zeros: so a word of more
 * characters is always the number.
 */
export type Device = (ifindex: number) => string

/** Digits of a word that can be no name (tried with iproute2 6.1: every verb but `link show`, which a run does not use). */
const DIGITS = 130

/** What `ip` gets. */
export const deviceWord: Device = ifindex => `if${String(ifindex).padStart(DIGITS, '0')}`

/**
 * What an `ip` without alternative names gets (before 5.5): it takes no word longer than a name.
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

/** What people see: `if3`, or `if03` where a link is called `if3`. */
export function shownDevice(links: readonly Pick<Link, 'name' | 'altnames'>[] = []): Device {
	const names = new Set(links.flatMap(({ name, altnames }) => [name, ...altnames]))
	return ifindex => {
		let number = String(ifindex)
		while (names.has(`if${number}`)) number = `0${number}`
		return `if${number}`
	}
}

/** @returns what `ip` has said with links as people see them */
export function withShortDevices(said: string): string {
	return said.replace(/\bif0{100,}(\d+)/g, 'if$1')
}

/**
 * Finds names similar to a mistyped name. Commander suggests commands and options, but not node names, and does not export its function
 * for finding similar names. Pure.
 */

const most = 3

/** @returns at most three of `names`, the most similar first; empty if there is no similar name */
export function similarNames(meant: string, names: readonly string[]): string[] {
	const allowed = Math.max(1, Math.floor(meant.length / 3))
	const scored = names.map(name => ({ name, distance: holds(name, meant) ? 0.5 : distance(meant, name) }))
	const near = scored.filter(one => one.distance <= allowed)
	return near
		.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
		.slice(0, most)
		.map(({ name }) => name)
}

function holds(name: string, meant: string): boolean {
	return meant.length >= 3 && (name.includes(meant) || meant.includes(name))
}

/** Returns the Levenshtein distance: how many characters must be inserted, deleted or replaced. */
function distance(a: string, b: string): number {
	let above = Array.from({ length: b.length + 1 }, (_, at) => at)
	for (let row = 1; row <= a.length; row++) {
		const now = [row]
		for (let at = 1; at <= b.length; at++) {
			const exchanged = (above[at - 1] ?? 0) + (a[row - 1] === b[at - 1] ? 0 : 1)
			now.push(Math.min((above[at] ?? 0) + 1, (now[at - 1] ?? 0) + 1, exchanged))
		}
		above = now
	}
	return above[b.length] ?? 0
}

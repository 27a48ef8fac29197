/**
 * The lines of the netplan definition that speaks of a MAC, as somebody wrote them. Read by how far lines are indented, which is all that
 * is needed here: netplan's own generator tells whether the file is right.
 *
 * @returns the whole text where no `ethernets:` stands above the MAC; undefined where only comments speak of it
 */
export function definitionOf(text: string, mac: string): string | undefined {
	const lines = text.split('\n').filter(line => !/^\s*(#|$)/.test(line))
	const from = lines.findIndex(line => line.toLowerCase().includes(mac))
	if (from === -1) return
	const above = linesAbove(lines, from)
	const head = above[above.findIndex(at => /^\s*["']?ethernets["']?:/.test(lines[at] ?? '')) - 1]
	if (head === undefined) return text
	const depth = indentOf(lines[head])
	const end = lines.findIndex((line, at) => at > head && indentOf(line) <= depth)
	return lines.slice(head, end === -1 ? undefined : end).join('\n')
}

/** @returns where the line itself stands, then that which it is part of, and so on outwards */
function linesAbove(lines: readonly string[], from: number): number[] {
	const found = [from]
	for (let at = from - 1; at >= 0; at--) if (indentOf(lines[at]) < indentOf(lines[found.at(-1) ?? from])) found.push(at)
	return found
}

function indentOf(line = ''): number {
	return line.search(/\S/)
}

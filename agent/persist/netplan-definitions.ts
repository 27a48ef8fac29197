/** One definition in a netplan file: the kind of link, its id, and its own lines. */
export type NetplanDefinition = { kind: string | undefined; id: string | undefined; text: string }

const KINDS = /["']?\b(ethernets|bridges|bonds|vlans|wifis|tunnels|modems|vrfs|dummy-devices|virtual-ethernets|nm-devices)["']?\s*:[ \t]*/g

/**
 * Every definition of a netplan file, in block or flow style. Read by indentation and brackets, which is all that is needed here:
 * netplan's own generator says whether the file is right.
 *
 * @returns the whole text as one definition of unknown kind where none can be told apart
 */
export function netplanDefinitions(content: string): NetplanDefinition[] {
	const text = withoutComments(content)
	const found = [...text.matchAll(KINDS)].flatMap(match => {
		const from = match.index + match[0].length
		const entries = text[from] === '{' ? flowEntries(text.slice(from)) : blockEntries(text, match.index, from)
		return entries.map(([id, body]) => ({ kind: match[1], id, text: body }))
	})
	return found.length > 0 ? found : [{ kind: undefined, id: undefined, text }]
}

/** @returns the value of a key, without quotes; the first, where there are several */
export function yamlValue(text: string, key: string): string | undefined {
	return new RegExp(`(?:^|[\\s{,"'])${key}["']?\\s*:\\s*["']?([^\\s"',}]+)`).exec(text)?.[1]
}

function withoutComments(content: string): string {
	return content
		.split('\n')
		.map(line => line.replace(/(^|\s)#.*$/, ''))
		.filter(line => line.trim())
		.join('\n')
}

/** `{a: {…}, b: {…}}` */
function flowEntries(text: string): [id: string, body: string][] {
	const parts: string[] = ['']
	let depth = 1
	for (const letter of text.slice(1)) {
		if ('}]'.includes(letter)) depth--
		if (depth === 0) break
		if (letter === ',' && depth === 1) parts.push('')
		else parts[parts.length - 1] += letter
		if ('{['.includes(letter)) depth++
	}
	return parts.flatMap(part => (part.includes(':') ? [entryOf(part)] : []))
}

/** The lines that are indented deeper than that of the kind; each least indented one begins a definition. */
function blockEntries(text: string, at: number, from: number): [id: string, body: string][] {
	const indent = at - (text.lastIndexOf('\n', at) + 1)
	const lines = text.slice(text.indexOf('\n', from) + 1 || text.length).split('\n')
	const end = lines.findIndex(line => line.search(/\S/) <= indent)
	const own = lines.slice(0, end === -1 ? undefined : end)
	const depth = own[0]?.search(/\S/) ?? 0
	const starts = own.flatMap((line, index) => (line.search(/\S/) === depth && line.includes(':') ? [index] : []))
	return starts.map((start, index) => entryOf(own.slice(start, starts[index + 1]).join('\n')))
}

function entryOf(text: string): [id: string, body: string] {
	const colon = text.indexOf(':')
	return [
		text
			.slice(0, colon)
			.trim()
			.replace(/^["']|["']$/g, ''),
		text.slice(colon + 1),
	]
}

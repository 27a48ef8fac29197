/** A page of the documentation as sections, to compare it with the same page in another language. */

/** The smallest parts that a translation has separately. */
export type Part = {
	kind: 'paragraph' | 'row' | 'item' | 'code' | 'comment'
	/** The text of code without its comments, or the text of an HTML comment. */
	exact: string
	/** The texts in backquotes. */
	names: ReadonlySet<string>
	numbers: ReadonlySet<string>
}

export type Section = {
	/** The heading with its marks: `## Upgrade`. */
	heading: string
	level: number
	/** The first part is the heading. */
	parts: Part[]
}

/** Returns the sections of a page. The first one starts with the title. */
export function sectionsOf(page: string): Section[] {
	const sections: string[][] = []
	let fenced = false
	for (const line of page.split('\n')) {
		if (!fenced && /^#+ /.test(line)) sections.push([])
		if (line.startsWith('```')) fenced = !fenced
		sections.at(-1)?.push(line)
	}
	return sections.map(([heading = '', ...lines]) => ({
		heading,
		level: heading.indexOf(' '),
		parts: [heading, ...textsOf(lines.join('\n'))].map(partOf),
	}))
}

/** Splits at empty lines, items of lists, rows of tables and fences. */
function textsOf(section: string): string[] {
	const pieces = section.split(/^(```[^\n]*\n[\s\S]*?^```$)/m)
	const texts = pieces.flatMap(piece => (piece.startsWith('```') ? [piece] : piece.split(/\n\s*\n|^(?=[-*] |\||\d+\. |<!--)/m)))
	return texts.map(text => text.trim()).filter(text => text !== '')
}

function partOf(text: string): Part {
	const kind = kindOf(text)
	if (kind === 'code') return { kind, exact: text.replace(/(^|\s)#\s.*$/gm, '$1#'), names: new Set(), numbers: new Set() }
	const names = text.match(/`[^`]+`/g)?.map(name => name.replace(/\s+/g, ' '))
	const words = text.replace(/`[^`]+`/g, ' ').replace(/\]\([^)]*\)/g, ']')
	return { kind, exact: kind === 'comment' ? text : '', names: new Set(names), numbers: new Set(words.match(/\d+(?:[.,]\d+)*/g)) }
}

function kindOf(text: string): Part['kind'] {
	if (text.startsWith('```')) return 'code'
	if (text.startsWith('<!--')) return 'comment'
	if (text.startsWith('|')) return 'row'
	return /^(?:[-*]|\d+\.) /.test(text) ? 'item' : 'paragraph'
}

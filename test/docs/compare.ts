import type { Part, Section } from './page.ts'

/** How a page differs from the same page in another language. */

type Page = { path: string; sections: readonly Section[] }
type Pair = readonly [a: number, b: number]

/** @returns one sentence for each heading, part, name or number that is in only one of the two pages; only headings, if they differ */
export function differences(english: Page, other: Page): string[] {
	const headings = missingHeadings(english, other)
	if (headings.length > 0) return headings
	return english.sections.flatMap((section, index) => {
		const { heading, parts } = other.sections[index] ?? section
		return inSection(section.parts, parts).map(words => `${other.path}, '${heading}' ${words}`)
	})
}

/** @returns the headings that one of the pages lacks, in the order of the English page */
function missingHeadings(english: Page, other: Page): string[] {
	const missing: string[] = []
	let [a, b] = [0, 0]
	for (const [nextA, nextB] of [...alike(english.sections, other.sections), [english.sections.length, other.sections.length] as const]) {
		while (a < nextA && b < nextB && mayBeSame(english.sections[a], other.sections[b])) [a, b] = [a + 1, b + 1]
		missing.push(...english.sections.slice(a, nextA).map(({ heading }) => `${other.path} lacks a heading for '${heading}'`))
		missing.push(...other.sections.slice(b, nextB).map(({ heading }) => `${english.path} lacks a heading for '${heading}'`))
		;[a, b] = [nextA + 1, nextB + 1]
	}
	return missing
}

/** A heading that is not translated is a name, which is the same in each language. */
function mayBeSame(a?: Section, b?: Section): boolean {
	return a?.level === b?.level && (a?.heading === b?.heading || /[^\p{ASCII}]/u.test(b?.heading ?? ''))
}

/** Returns the largest number of pairs of sections, in order, that certainly match: equal headings, or equal code and names. */
function alike(a: readonly Section[], b: readonly Section[]): Pair[] {
	const prints = [a, b].map(sections => sections.map(fingerprint))
	const isSame = (i: number, j: number) =>
		mayBeSame(a[i], b[j]) && (a[i]?.heading === b[j]?.heading || (prints[0]?.[i] !== '' && prints[0]?.[i] === prints[1]?.[j]))
	const longest: Pair[][][] = []
	const at = (i: number, j: number) => longest[i]?.[j] ?? []
	for (let i = a.length - 1; i >= 0; i--) {
		const row: Pair[][] = []
		longest[i] = row
		for (let j = b.length - 1; j >= 0; j--) {
			const [withoutA, withoutB] = [at(i + 1, j), at(i, j + 1)]
			const without = withoutA.length >= withoutB.length ? withoutA : withoutB
			row[j] = isSame(i, j) ? [[i, j], ...at(i + 1, j + 1)] : without
		}
	}
	return at(0, 0)
}

/** Empty if the section has nothing that is the same in each language. */
function fingerprint({ parts }: Section): string {
	return parts.flatMap(({ exact, names }) => [exact, ...[...names].toSorted()]).join('')
}

function inSection(english: readonly Part[], other: readonly Part[]): string[] {
	const [wanted, found] = [kindsOf(english), kindsOf(other)]
	if (wanted !== found) return [`has ${found}; in English it has ${wanted}`]
	return english.flatMap((part, index) => {
		const translated = other[index] ?? part
		if (part.exact !== translated.exact) return [`lacks this, apart from comments: ${part.exact}`]
		return [
			...lacking(part.names, translated.names).map(name => `lacks ${name}`),
			...lacking(translated.names, part.names).map(name => `has ${name}, which is not in English`),
			...lacking(part.numbers, translated.numbers).map(number => `lacks the number ${number}`),
		].map(words => (index === 0 ? words : `${words} in ${placeOf(english, index)}`))
	})
}

/** Returns `1 paragraph, 7 rows, 1 code`. */
function kindsOf([, ...parts]: readonly Part[]): string {
	const groups: { kind: string; count: number }[] = []
	for (const { kind } of parts) {
		const last = groups.at(-1)
		if (last?.kind === kind) last.count++
		else groups.push({ kind, count: 1 })
	}
	return groups.map(({ kind, count }) => `${count} ${kind}${count > 1 ? 's' : ''}`).join(', ') || 'no text'
}

/** Returns `paragraph 2`. */
function placeOf(parts: readonly Part[], index: number): string {
	const kind = parts[index]?.kind ?? ''
	return `${kind} ${parts.slice(1, index + 1).filter(part => part.kind === kind).length}`
}

function lacking(all: ReadonlySet<string>, some: ReadonlySet<string>): string[] {
	return [...all].filter(text => !some.has(text))
}

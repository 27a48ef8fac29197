/** Links and headings of a Markdown page. */

/** @returns the targets of all links to other pages, files and headings, but not of web links */
export function linksOf(text: string): string[] {
	const prose = withoutFences(text).replace(/`[^`\n]*`/g, '')
	return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => to).filter(to => !/^[a-z]+:/.test(to))
}

/** @returns the anchors of all headings as GitHub names them */
export function anchorsOf(text: string): string[] {
	const seen = new Map<string, number>()
	return [...withoutFences(text).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => {
		const anchor = title
			.toLowerCase()
			.replace(/[^\p{L}\p{N}\s_-]/gu, '')
			.replace(/\s/g, '-')
		const times = seen.get(anchor) ?? 0
		seen.set(anchor, times + 1)
		return times === 0 ? anchor : `${anchor}-${times}`
	})
}

function withoutFences(text: string): string {
	return text.replace(/^```[\s\S]*?^```/gm, '')
}

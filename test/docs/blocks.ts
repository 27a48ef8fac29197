/** Generated examples of a page: each one is between `<!-- made: KEY -->` and `<!-- end -->`. */

const block = /(<!-- made: ([^>]+) -->\n)[\s\S]*?(?=<!-- end -->)/g

/** @returns the page with these examples; throws for a key without an example */
export function withBlocks(page: string, blocks: Readonly<Record<string, string>>): string {
	return page.replace(block, (_, head: string, key: string) => {
		if (blocks[key] === undefined) throw new Error(`nothing is generated for ${key}`)
		return `${head}${blocks[key]}\n`
	})
}

/** @returns the keys of the examples that a page shows */
export function blocksIn(page: string): string[] {
	return [...page.matchAll(block)].map(([, , key = '']) => key)
}

/** @returns a code block */
export function fenced(text: string, language = ''): string {
	return `\`\`\`${language}\n${text}\n\`\`\``
}

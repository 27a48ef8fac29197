/** The names that `ip` prints instead of the number, on every host. @see ip-route(8), TABLEID */
const TABLE_NAMES = new Map([
	[253, 'default'],
	[254, 'main'],
	[255, 'local'],
])

/** @returns a table as `ip` prints it in messages; commands that are run use the number */
export function tableWord(table: number): string {
	return TABLE_NAMES.get(table) ?? String(table)
}

/** @returns the text of a rule, a route or a command, with the names of tables instead of their numbers */
export function withTableNames(words: string): string {
	return words.replaceAll(/\b(lookup|table) (25[345])\b/g, (_, word: string, table: string) => `${word} ${tableWord(Number(table))}`)
}

/** Names that `ip` prints instead of these numbers on every host. @see ip-route(8), TABLEID */
const TABLE_NAMES = new Map([
	[253, 'default'],
	[254, 'main'],
	[255, 'local'],
])

/** @returns the name or number of a table, as `ip` prints it, for messages; executed commands use the number */
export function tableWord(table: number): string {
	return TABLE_NAMES.get(table) ?? String(table)
}

/** @returns the given rule, route or command with table names instead of numbers */
export function withTableNames(words: string): string {
	return words.replaceAll(/\b(lookup|table) (25[345])\b/g, (_, word: string, table: string) => `${word} ${tableWord(Number(table))}`)
}

import type { Family, Rule } from '../host/state.ts'

/** How a refusal names its cause, and the commands that show it to an administrator. */

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

/** @returns a rule as `ip` prints it */
export function ruleWords({ words }: Pick<Rule, 'words'>): string {
	return withTableNames(words)
}

/** @returns the command that shows a rule */
export function showRule({ family, priority }: Pick<Rule, 'family' | 'priority'>): string {
	return `${ip(family)} rule show priority ${priority}`
}

/** @returns the command that shows all rules */
export function showRules(family: Family): string {
	return `${ip(family)} rule show`
}

/** @param which as `ip route show` takes it: `default`, `table 105`, `10.0.0.0/24` */
export function showRoutes(family: Family, which: string): string {
	return `${ip(family)} route show ${which}`
}

function ip(family: Family): string {
	return family === 6 ? 'ip -6' : 'ip'
}

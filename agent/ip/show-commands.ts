import type { Family, Rule } from '../model/host-state.ts'
import { withTableNames } from './table-names.ts'

/** How a refusal describes its cause, and the commands with which an administrator can inspect it. */

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

/** @param which argument of `ip route show`: `default`, `table 105`, `10.0.0.0/24` */
export function showRoutes(family: Family, which: string): string {
	return `${ip(family)} route show ${which}`
}

function ip(family: Family): string {
	return family === 6 ? 'ip -6' : 'ip'
}

import type { Family, Rule } from '../model/host-state.ts'
import { withTableNames } from './table-names.ts'

/** How a refusal names its cause, and the commands that show it to an administrator. */

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

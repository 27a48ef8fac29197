import type { Family, Rule } from '../host/state.ts'

/** The commands by which an administrator sees the cause of a refusal. */

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

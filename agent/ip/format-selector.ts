import type { Rule } from '../model/host-state.ts'

/**
 * @returns the selector of a rule managed by MultiNIC in the syntax of ip-rule(8): `from 10.0.0.23/32`, `from 10.0.0.23/32 to
 *   10.244.1.0/24`
 */
export function ruleSelector({ from, to }: Pick<Rule, 'from' | 'to'>): string {
	return `from ${from}${to === undefined ? '' : ` to ${to}`}`
}

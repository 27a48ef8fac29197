import type { Bases } from '../../contract/bases.ts'
import { basesOf, formerBases, isRuleOf, tableOf } from '../model/bases.ts'
import type { Change } from '../model/change.ts'
import { addressesOf } from '../model/desired-network.ts'
import { ruleKey, rulesOf, sourcesOf } from '../model/desired-rules.ts'
import type { HostState, Rule } from '../model/host-state.ts'
import type { Accepted, Selection } from '../model/selection.ts'
import { givenTo } from './record-link.ts'

/** Which rules a run removes, and which it adds. */

/**
 * @returns the rule changes of an interface. The removals of rules of a former base come last, and so does that of a rule to pods from an
 * address that stays: other rules have replaced them by then
 */
export function ruleChanges({ nic, ours }: Accepted, selection: Selection, host: HostState): Record<'take' | 'give' | 'leave', Change[]> {
	const wanted = rulesOf(nic)
	const of = sourcesOf(addressesOf(nic))
	const former = formerBases(nic, ours)
	const known = knownSources(selection)
	const isLeft = (rule: Rule) => former.some(bases => isRuleOf(nic.id, rule, bases)) || (rule.to !== undefined && of.includes(rule.from))
	const stale = staleRules(nic.id, { wanted, bases: [basesOf(nic)], of, known }, host)
	const all = staleRules(nic.id, { wanted, bases: [basesOf(nic), ...former], known }, host)
	return {
		take: stale.filter(({ rule }) => !isLeft(rule)),
		give: missingRules(wanted, host),
		leave: all.filter(({ rule }) => isLeft(rule)),
	}
}

type Removal = Change & { kind: 'removeRule'; rule: Rule }
type Known = { wanted: readonly Rule[]; bases: readonly Bases[]; of?: readonly string[]; known: ReadonlySet<string> }

/**
 * @param known `bases`: bases of the rules; `of`: sources for which MultiNIC manages any plain rule to the table of this id, at any
 * priority; `known`: sources for which it may manage a rule to pods
 * @returns removals of the rules of this id that are not desired, the last of them first, so that no packet falls through to a later one;
 * MultiNIC identifies its rules by priority and table together
 */
export function staleRules(id: number, { wanted, bases, of = [], known }: Known, { rules }: Pick<HostState, 'rules'>): Removal[] {
	const keys = new Set(wanted.map(ruleKey))
	const isOurs = (rule: Rule, one: Bases) =>
		rule.to === undefined
			? isRuleOf(id, rule, one) || (rule.table === tableOf(id, one) && rule.plain && of.includes(rule.from))
			: isRuleOf(id, rule, one) && known.has(rule.from)
	return rules
		.filter(rule => bases.some(one => isOurs(rule, one)) && !keys.has(ruleKey(rule)))
		.toSorted((a, b) => b.priority - a.priority)
		.map(rule => ({ kind: 'removeRule', rule }))
}

/** @returns the addresses of all NICs managed by MultiNIC, including those of earlier configs, as the `from` of a rule */
export function knownSources({ accepted, released }: Pick<Selection, 'accepted' | 'released'>): Set<string> {
	const wanted = accepted.flatMap(({ nic }) => addressesOf(nic))
	const held = [...accepted, ...released].flatMap(({ ours, link }) => [
		...givenTo(ours),
		...(link?.addresses ?? []).map(({ cidr }) => cidr),
	])
	return new Set(sourcesOf([...wanted, ...held]))
}

function missingRules(wanted: readonly Rule[], host: HostState): Change[] {
	const present = new Set(host.rules.filter(({ plain }) => plain).map(ruleKey))
	return wanted.filter(rule => !present.has(ruleKey(rule))).map(rule => ({ kind: 'addRule', rule }))
}

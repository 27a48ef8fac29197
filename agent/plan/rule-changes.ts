import type { Bases } from '../../contract/bases.ts'
import { basesOf, formerBases, isRuleOf, tableOf } from '../model/bases.ts'
import type { Change } from '../model/change.ts'
import { addressesOf } from '../model/desired-network.ts'
import { ruleKey, rulesOf, sourcesOf } from '../model/desired-rules.ts'
import type { HostState, Rule } from '../model/host-state.ts'
import type { Accepted, Selection } from '../model/selection.ts'
import { addressesWeAdded } from './record-link.ts'

/** Determines which rules a run removes, and which it adds. */

/**
 * @returns the rule changes of an interface. Rules of a former base, and rules to pods from an address that stays, are removed last
 * (`leave`), after other rules have replaced them. If bases are less than ten apart, such a rule may belong to another interface
 */
export function ruleChanges({ nic, ours }: Accepted, selection: Selection, host: HostState): Record<'take' | 'give' | 'leave', Change[]> {
	const wanted = rulesOf(nic)
	const of = sourcesOf(addressesOf(nic))
	const former = formerBases(nic, ours)
	const known = knownSources(selection)
	const staying = new Set(selection.accepted.flatMap(one => sourcesOf(addressesOf(one.nic))))
	const isLeft = (rule: Rule) => former.some(bases => isRuleOf(nic.id, rule, bases)) || (rule.to !== undefined && staying.has(rule.from))
	const stale = staleRules(nic.id, { wanted, bases: [basesOf(nic)], of, known }, host)
	const all = staleRules(nic.id, { wanted, bases: [basesOf(nic), ...former], known }, host)
	return {
		take: stale.filter(({ rule }) => !isLeft(rule)),
		give: missingRules(wanted, host),
		leave: all.filter(({ rule }) => isLeft(rule)),
	}
}

type Removal = Change & { kind: 'removeRule'; rule: Rule }
type OwnedRules = { wanted: readonly Rule[]; bases: readonly Bases[]; of?: readonly string[]; known: ReadonlySet<string> }

/**
 * @param known `bases`: bases of the rules; `of`: sources for which MultiNIC manages every plain rule that looks up the table of this id,
 * whatever its priority; `known`: sources for which it may manage rules to pods
 * @returns removals of the undesired rules of this id, last rule first, so that no packet falls through to a later rule; MultiNIC
 * identifies its rules by priority and table together
 */
export function staleRules(id: number, { wanted, bases, of, known }: OwnedRules, { rules }: Pick<HostState, 'rules'>): Removal[] {
	const keys = new Set(wanted.map(ruleKey))
	const isOurs = (rule: Rule, one: Bases) =>
		rule.to === undefined
			? isRuleOf(id, rule, one) || (rule.table === tableOf(id, one) && rule.plain && of?.includes(rule.from))
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
		...addressesWeAdded(ours),
		...(link?.addresses ?? []).map(({ cidr }) => cidr),
	])
	return new Set(sourcesOf([...wanted, ...held]))
}

function missingRules(wanted: readonly Rule[], host: HostState): Change[] {
	const present = new Set(host.rules.filter(({ plain }) => plain).map(ruleKey))
	return wanted.filter(rule => !present.has(ruleKey(rule))).map(rule => ({ kind: 'addRule', rule }))
}

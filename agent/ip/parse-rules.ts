import * as z from 'zod'
import type { Family, Rule, RuleAction } from '../model/host-state.ts'
import { hex } from './hex.ts'

/** Parses the rules of `ip -N -j -d rule show`, with every selector in ip-rule(8). */

const Int = z.coerce.number().int()
const Port = z.union([Int, z.string()]).optional()
const IpRule = z.looseObject({
	priority: Int,
	src: z.string(),
	srclen: Int.optional(),
	dst: z.string().optional(),
	dstlen: Int.optional(),
	not: z.null().optional(),
	fwmark: Int.optional(),
	fwmask: Int.optional(),
	tos: Int.optional(),
	iif: z.string().optional(),
	oif: z.string().optional(),
	uid_start: Int.optional(),
	uid_end: Int.optional(),
	ipproto: z.string().optional(),
	sport: Port,
	sport_start: Port,
	sport_end: Port,
	dport: Port,
	dport_start: Port,
	dport_end: Port,
	table: Int.optional(),
	suppress_prefixlen: Int.optional(),
	suppress_ifgroup: Int.optional(),
	goto: Int.optional(),
	nop: z.null().optional(),
	action: z.string().optional(),
	l3mdev: z.null().optional(),
	protocol: Int.optional(),
	iif_detached: z.null().optional(),
	oif_detached: z.null().optional(),
	unresolved: z.null().optional(),
})
type IpRule = z.infer<typeof IpRule>

/** All keys that a rule managed by MultiNIC can have. */
const PLAIN = new Set(['priority', 'src', 'srclen', 'dst', 'dstlen', 'table', 'protocol'])

/**
 * @param json output of one `rule show`
 * @throws ZodError if it is not in the format that `ip` prints
 */
export function parseRules(json: unknown, family: Family): Rule[] {
	return z
		.array(IpRule)
		.parse(json)
		.map(raw => toRule(raw, family))
}

function toRule(raw: IpRule, family: Family): Rule {
	const unknown = Object.keys(raw).filter(key => !(key in IpRule.shape))
	const rule = {
		family,
		priority: raw.priority,
		from: prefix(raw.src, raw.srclen, family),
		table: raw.table ?? 0,
		plain: Object.keys(raw).every(key => PLAIN.has(key)),
		...given('to', raw.dst === undefined ? undefined : prefix(raw.dst, raw.dstlen, family)),
		...given('inverted', raw.not === null ? (true as const) : undefined),
		...selectors(raw),
		...actionOf(raw),
		...given('unknown', unknown.length > 0 ? unknown : undefined),
	}
	return { ...rule, words: formatRule(rule, raw) }
}

function selectors(raw: IpRule): Partial<Rule> {
	return {
		...given('iif', raw.iif),
		...given('oif', raw.oif),
		...given('mark', raw.fwmark === undefined ? undefined : { value: raw.fwmark, mask: raw.fwmask ?? 0xffffffff }),
		...given('tos', raw.tos || undefined),
		...given('uids', range(raw.uid_start, raw.uid_end)),
		...given('protocol', protocolNumber(raw.ipproto)),
		...given('sport', range(raw.sport_start ?? raw.sport, raw.sport_end ?? raw.sport)),
		...given('dport', range(raw.dport_start ?? raw.dport, raw.dport_end ?? raw.dport)),
		...given('suppressPrefixLength', raw.suppress_prefixlen),
		...given('suppressGroup', raw.suppress_ifgroup),
	}
}

function given<K extends keyof Rule>(key: K, value: Rule[K] | undefined): Partial<Pick<Rule, K>> {
	return value === undefined ? {} : ({ [key]: value } as Pick<Rule, K>)
}

/** RTN numbers that `ip -N` prints for rule actions. @see rtnetlink(7) */
const ACTIONS: Readonly<Record<string, RuleAction>> = { '6': 'blackhole', '7': 'unreachable', '8': 'prohibit' }

function actionOf(raw: IpRule): Partial<Rule> {
	if (raw.goto !== undefined) return { action: 'goto', goto: raw.goto }
	if (raw.nop === null) return { action: 'nop' }
	if (raw.l3mdev === null) return { action: 'l3mdev' }
	return raw.action === undefined ? {} : { action: ACTIONS[raw.action] ?? (raw.action as RuleAction) }
}

/** For tcp, `ip -N` prints `ipproto-6`. */
function protocolNumber(text: string | undefined): number | undefined {
	const found = /(\d+)$/.exec(text ?? '')?.[1]
	return found === undefined ? undefined : Number(found)
}

function range(from: number | string | undefined, to: number | string | undefined): readonly [number, number] | undefined {
	return from === undefined || to === undefined ? undefined : [Number(from), Number(to)]
}

function prefix(address: string, length: number | undefined, family: Family): string {
	if (address === 'all') return family === 4 ? '0.0.0.0/0' : '::/0'
	return `${address}/${length ?? (family === 4 ? 32 : 128)}`
}

/** @returns the rule as ip-rule(8) prints it, without its priority; unknown keys are appended */
function formatRule(rule: Omit<Rule, 'words'>, raw: IpRule): string {
	const { from, to, iif, oif, tos, uids, protocol, sport, dport } = rule
	return [
		rule.family === 6 ? '-6' : '',
		rule.inverted ? 'not' : '',
		`from ${from.endsWith('/0') ? 'all' : from.replace(/\/(32|128)$/, '')}`,
		...labelled({
			to,
			fwmark: markWords(rule),
			tos: tos === undefined ? undefined : hex(tos),
			iif,
			oif,
			uidrange: rangeWords(uids),
			ipproto: protocol,
		}),
		...labelled({ sport: rangeWords(sport), dport: rangeWords(dport) }),
		...(rule.unknown ?? []).map(key => `${key} ${String(raw[key])}`),
		actionWords(rule, raw),
	]
		.filter(Boolean)
		.join(' ')
}

function actionWords({ action, goto: target, table, ...rule }: Omit<Rule, 'words'>, { action: said }: IpRule): string {
	if (action === 'goto') return `goto ${target}`
	if (action !== undefined) return said === undefined || said in ACTIONS ? action : `action ${said}`
	const suppress = labelled({ suppress_prefixlength: rule.suppressPrefixLength, suppress_ifgroup: rule.suppressGroup })
	return [`lookup ${table}`, ...suppress].join(' ')
}

function labelled(values: Readonly<Record<string, string | number | undefined>>): string[] {
	return Object.entries(values).flatMap(([label, value]) => (value === undefined ? [] : [`${label} ${value}`]))
}

function markWords({ mark }: Omit<Rule, 'words'>): string | undefined {
	if (!mark) return undefined
	return `${hex(mark.value)}${mark.mask === 0xffffffff ? '' : `/${hex(mark.mask)}`}`
}

function rangeWords(range: readonly [number, number] | undefined): string | undefined {
	return range && (range[0] === range[1] ? String(range[0]) : range.join('-'))
}

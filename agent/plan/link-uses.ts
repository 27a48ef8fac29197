import { ruleWords, showRule } from '../ip/show-commands.ts'
import type { Found } from '../model/check.ts'
import type { HostState, Link } from '../model/host-state.ts'

/** Other users of a link, and what would disturb them. */

/** Another link that needs this one; below an MTU of `mtu` bytes the kernel would change that link too, or it could not send. */
type Use = Found & { mtu: number }

/** Kinds of link that come in pairs: the `lower` of one is its peer, and the link is not on top of it. */
export const PAIRED: ReadonlySet<string> = new Set(['veth', 'netkit', 'vxcan'])

/** The target state of a link: its name, its MTU in bytes, and whether it is up. */
export type Shape = { name: string; mtu: number; up: boolean }

/**
 * @param called the name of the link in the message
 * @returns the links on top of a link, and the bridge, bond or VRF it is a port of. The peer of a pair refers to it, but is not on top.
 */
export function usesOf(link: Link, { links }: HostState, called = link.name): Use[] {
	const onTop = links.filter(other => other.lower === link.ifindex && !PAIRED.has(other.kind ?? ''))
	const master = links.find(({ name }) => name === link.master)
	return [
		...onTop.map(({ name, mtu }) => ({ says: `${name} is on top of ${called}`, see: `ip -d link show dev ${name}`, mtu })),
		...(link.master === undefined
			? []
			: [{ says: `${called} is a port of ${link.master}`, see: `ip link show master ${link.master}`, mtu: master?.mtu ?? 0 }]),
	]
}

/**
 * @param subject the interface that the message is about
 * @returns what a new state of the link would disturb, and how; undefined: it affects no other link and no rule
 */
export function disturbance(link: Link, next: Shape, { subject, host }: { subject: string; host: HostState }): Found | undefined {
	const called = calledBy(subject, link)
	const named = ruleLost(link, next.name, { called, host })
	if (named) return named
	for (const { says, see, mtu } of usesOf(link, host, called)) {
		const change = changeOf(link, next, mtu) ?? bridgeChange(link, next, host)
		if (change !== undefined) return { says: `${says}, and ${called} would ${change}`, see }
	}
}

/** @returns what a message about an interface calls its link */
export function calledBy(subject: string, { name }: Link): string {
	return name === subject ? 'it' : name
}

/**
 * @returns the first rule not managed by MultiNIC that names a link, also by an altname: the kernel attaches a rule to the link that has
 * the name when the rule is added, and detaches it when that link is renamed
 * @see attach_rules, detach_rules in net/core/fib_rules.c
 */
export function namedByRule({ name, altnames }: Link, { rules }: HostState, called = name): Found | undefined {
	const names = new Set([name, ...altnames])
	const rule = rules.find(({ iif, oif }) => (iif !== undefined && names.has(iif)) || (oif !== undefined && names.has(oif)))
	if (!rule) return undefined
	return { says: `the rule '${ruleWords(rule)}' names ${called}`, see: showRule(rule) }
}

/** @returns the rule not managed by MultiNIC that would lose a link because of its new name */
export function ruleLost(link: Link, to: string, { called = link.name, host }: { called?: string; host: HostState }): Found | undefined {
	const found = link.name === to ? undefined : namedByRule(link, host, called)
	return found && { ...found, says: `${found.says}, and would match nothing once ${called} is renamed to ${to}` }
}

function changeOf(link: Link, next: Shape, needed: number): string | undefined {
	if (link.name !== next.name) return `be renamed to ${next.name}`
	if (link.up && !next.up) return 'be set down'
	if (link.mtu !== next.mtu && next.mtu < needed) return `get an MTU of ${next.mtu}, not the ${needed} that is used there`
}

/** A bridge whose MTU was never set by hand has the smallest MTU of its ports. @see br_mtu_auto_adjust in net/bridge/br_if.c */
function bridgeChange(link: Link, next: Shape, { links }: HostState): string | undefined {
	const bridge = links.find(({ name, kind }) => kind === 'bridge' && name === link.master)
	if (!bridge || link.mtu === next.mtu) return undefined
	const ports = links.filter(({ master }) => master === bridge.name)
	const smallest = (list: readonly { mtu: number }[]) => Math.min(...list.map(({ mtu }) => mtu))
	const after = smallest(ports.map(port => (port.ifindex === link.ifindex ? next : port)))
	return smallest(ports) === bridge.mtu && after !== bridge.mtu
		? `get an MTU of ${next.mtu}, which changes that of ${bridge.name}`
		: undefined
}

import { ruleWords, showRule } from '../ip/show-commands.ts'
import type { Cause } from '../model/check.ts'
import type { HostState, Link } from '../model/host-state.ts'

/** Finds other users of a link, and changes that would disturb them. */

/** Another link that needs this one. `mtu`: bytes; if this link had a smaller MTU, the other link would change too or could not send. */
type Use = Cause & { mtu: number }

/** Kinds of link that come in pairs: their `lower` is the peer, not a link below. */
export const PAIRED: ReadonlySet<string | undefined> = new Set(['veth', 'netkit', 'vxcan'])

/** The target state of a link: its name, its MTU in bytes, and whether it is up. */
export type Shape = { name: string; mtu: number; up: boolean }

/**
 * @param called the name of the link in the message
 * @returns the links on top of a link, and the bridge, bond or VRF that it is a port of. Omits the peer of a pair, which is not on top of
 * it.
 */
export function usesOf(link: Link, { links }: HostState, called = link.name): Use[] {
	const onTop = links.filter(other => other.lower === link.ifindex && !PAIRED.has(other.kind))
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
 * @returns which other link or rule the new state of the link would disturb, and how; undefined: none
 */
export function disturbance(link: Link, next: Shape, { subject, host }: { subject: string; host: HostState }): Cause | undefined {
	const called = calledBy(subject, link)
	const named = ruleLost(link, next.name, { called, host })
	if (named) return named
	for (const { says, see, mtu } of usesOf(link, host, called)) {
		const change = changeOf(link, next, mtu) ?? bridgeChange(link, next, host)
		if (change !== undefined) return { says: `${says}, and ${called} would ${change}`, see }
	}
}

/** @returns the word for the link in a message about an interface: `it`, or the name of the link */
export function calledBy(subject: string, { name }: Link): string {
	return name === subject ? 'it' : name
}

/**
 * @returns the first rule not managed by MultiNIC that names a link by its name or an altname: the kernel attaches a rule to the link that
 * has the name when the rule is added, and detaches it when that link is renamed
 * @see attach_rules, detach_rules in net/core/fib_rules.c
 */
export function namedByRule({ name, altnames }: Link, { rules }: HostState, called = name): Cause | undefined {
	const names = new Set([name, ...altnames])
	const rule = rules.find(({ iif, oif }) => (iif !== undefined && names.has(iif)) || (oif !== undefined && names.has(oif)))
	if (!rule) return undefined
	return { says: `the rule '${ruleWords(rule)}' names ${called}`, see: showRule(rule) }
}

/** @returns the rule not managed by MultiNIC that would no longer match a link because of its new name */
export function ruleLost(link: Link, to: string, { called = link.name, host }: { called?: string; host: HostState }): Cause | undefined {
	const found = link.name === to ? undefined : namedByRule(link, host, called)
	return found && { ...found, says: `${found.says}, and would not match its new name ${to}` }
}

function changeOf(link: Link, next: Shape, needed: number): string | undefined {
	if (link.name !== next.name) return `be renamed to ${next.name}`
	if (link.up && !next.up) return 'be set down'
	if (link.mtu !== next.mtu && next.mtu < needed) return `get an MTU of ${next.mtu}, but ${needed} is used there`
}

/** A bridge whose MTU was never set explicitly has the smallest MTU of its ports. @see br_mtu_auto_adjust in net/bridge/br_if.c */
function bridgeChange(link: Link, next: Shape, { links }: HostState): string | undefined {
	const bridge = links.find(({ name, kind }) => kind === 'bridge' && name === link.master)
	if (!bridge) return undefined
	const ports = links.filter(({ master }) => master === bridge.name)
	const smallest = (list: readonly { mtu: number }[]) => Math.min(...list.map(({ mtu }) => mtu))
	const after = smallest(ports.map(port => (port.ifindex === link.ifindex ? next : port)))
	return smallest(ports) === bridge.mtu && after !== bridge.mtu
		? `get an MTU of ${next.mtu}, which changes that of ${bridge.name}`
		: undefined
}

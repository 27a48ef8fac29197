import type { HostState, Link } from '../host/state.ts'
import type { Found } from './check.ts'
import { ruleWords, showRule } from './show.ts'

/** What others have built on a link, and what would disturb it. */

/** Another link that needs this one; below `mtu` bytes the kernel would change that link too, or it could not send. */
type Use = Found & { mtu: number }

/** Kinds of link that come in pairs: the `lower` of one is its other end, on which it does not stand. */
export const PAIRED: ReadonlySet<string> = new Set(['veth', 'netkit', 'vxcan'])

/** What a link is to be: its name, its MTU in bytes, and whether it is up. */
export type Shape = { name: string; mtu: number; up: boolean }

/**
 * @param called how the message calls the link
 * @returns the links on top of a link, and the bridge, bond or VRF it is a port of. The other end of a pair also names it, and is not on top.
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
 * @returns who would be disturbed if a link became so, and by what; undefined: no other link, and no rule, would notice
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

/** @returns how a message about an interface calls its link */
export function calledBy(subject: string, { name }: Link): string {
	return name === subject ? 'it' : name
}

/**
 * @returns the first rule of others that names a link, also by an alternative name: the kernel attaches a rule to the link that has the
 * name when it is added, and detaches it when that link is renamed
 * @see attach_rules, detach_rules in net/core/fib_rules.c
 */
export function namedByRule({ name, altnames }: Link, { rules }: HostState, called = name): Found | undefined {
	const names = new Set([name, ...altnames])
	const rule = rules.find(({ iif, oif }) => (iif !== undefined && names.has(iif)) || (oif !== undefined && names.has(oif)))
	if (!rule) return undefined
	return { says: `the rule '${ruleWords(rule)}' names ${called}`, see: showRule(rule) }
}

/** @returns the rule of others that would lose a link by its new name */
export function ruleLost(link: Link, to: string, { called = link.name, host }: { called?: string; host: HostState }): Found | undefined {
	const found = link.name === to ? undefined : namedByRule(link, host, called)
	return found && { ...found, says: `${found.says}, and would match nothing once ${called} is renamed to ${to}` }
}

function changeOf(link: Link, next: Shape, needed: number): string | undefined {
	if (link.name !== next.name) return `be renamed to ${next.name}`
	if (link.up && !next.up) return 'be set down'
	if (link.mtu !== next.mtu && next.mtu < needed) return `get an MTU of ${next.mtu}, not the ${needed} that is used there`
}

/** A bridge whose MTU was never set by hand has the smallest of its ports. @see br_mtu_auto_adjust in net/bridge/br_if.c */
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

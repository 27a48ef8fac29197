import type { Bases } from '../../contract/bases.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, contains, ipOf, isInside, networkOf } from '../../contract/ip.ts'
import { basesOf, podPriorityOf, tableOf } from './bases.ts'
import { addressesOf, routesOf } from './desired-network.ts'
import type { Rule } from './host-state.ts'
import { cidrsOf, familyOf, full, isLinkLocal } from './networks.ts'
import { MAIN } from './route.ts'

/** The rules of an interface, in the order in which the kernel evaluates them. */

/**
 * @returns a `from` rule for each address of an interface, so that replies leave through the NIC that received the request; before it, one
 * rule for each pod network, because pods on this node are not reached over a NIC, whatever the source address
 */
export function rulesOf(nic: WantedInterface): Rule[] {
	if (!nic.policyRouting) return []
	const bases = basesOf(nic)
	const sources = sourcesOf(addressesOf(nic))
	return [
		...podRules(nic, sources, bases),
		...sources.map(from => toRule({ from, priority: bases.priority + nic.id, table: tableOf(nic.id, bases) })),
	]
}

function podRules(nic: WantedInterface, sources: readonly string[], bases: Bases): Rule[] {
	const networks = podNetworksBeside(nic)
	return sources
		.filter(from => !isLinkLocal(from))
		.flatMap(from =>
			networks
				.filter(to => familyOf(to) === familyOf(from))
				.map(to => toRule({ from, to, priority: podPriorityOf(nic.id, bases), table: MAIN })),
		)
}

/**
 * Returns the pod networks that contain neither a network nor the gateway of the interface, nor a destination of its routes. A pod network
 * inside a wider network of the interface is included, because its pods are still reached over another link of this node.
 */
function podNetworksBeside(nic: WantedInterface): string[] {
	const own = cidrsOf(nic).map(networkOf)
	const requested = routesOf(nic, 0).map(({ to }) => to)
	const gateway = nic.gateway === undefined ? undefined : canonicalIp(nic.gateway)
	return withoutInner(
		(nic.podNetworks ?? [])
			.map(networkOf)
			.filter(
				network =>
					!own.some(one => isInside(one, network)) &&
					!requested.some(to => isInside(to, network)) &&
					(gateway === undefined || !contains(network, gateway)),
			),
	)
}

/** @returns networks, each once, without those inside another */
function withoutInner(networks: readonly string[]): string[] {
	const all = [...new Set(networks)]
	return all.filter(network => !all.some(other => other !== network && isInside(network, other)))
}

function toRule({ from, to, priority, table }: Pick<Rule, 'from' | 'to' | 'priority' | 'table'>): Rule {
	const family = familyOf(from)
	const words = `${family === 6 ? '-6 ' : ''}from ${ipOf(from)}${to === undefined ? '' : ` to ${to}`} lookup ${table}`
	return { family, from, ...(to !== undefined && { to }), priority, table, plain: true, words }
}

/** @returns addresses as the `from` of a rule: `10.0.0.23/32` */
export function sourcesOf(addresses: readonly string[]): string[] {
	return addresses.map(cidr => `${ipOf(cidr)}/${full(cidr)}`)
}

/** @returns the key that identifies a rule */
export function ruleKey({ family, priority, from, to = '', table }: Pick<Rule, 'family' | 'priority' | 'from' | 'to' | 'table'>): string {
	return [family, priority, from, to, table].join(' ')
}

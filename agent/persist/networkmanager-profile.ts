import type { WantedInterface } from '../../contract/interface.ts'
import { ruleSelector } from '../ip/format-selector.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import { rulesOf } from '../model/desired-rules.ts'
import type { Family, Rule } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { MAIN, type Route } from '../model/route.ts'

/** The parts that NetworkManager's profiles have in common, whatever their format. */

/** @returns the profile's UUID, always the same for a NIC, so that NetworkManager can be queried for it: "multinic" and the MAC */
export function profileUuid({ macAddress }: WantedInterface): string {
	return `6d756c74-696e-4963-8000-${macAddress.replaceAll(':', '')}`
}

/**
 * The metric that the kernel gives a connected route. NetworkManager's default is a counter of devices that starts at 100, and 1024 for
 * IPv6. The setting also applies to routes without a metric, so IPv6 routes always specify one.
 */
export const PREFIX_METRICS = { 4: 0, 6: 256 } as const

/** @see nm-settings(5), routing-rules: the syntax of `ip rule` */
export function profileRule(rule: Rule): string {
	return `priority ${rule.priority} ${ruleSelector(rule)} table ${rule.table}`
}

/** The fields to query of a profile that NetworkManager has read. */
export const PROFILE_FIELDS = ['connection.interface-name', '802-3-ethernet.mtu', 'ipv4', 'ipv6'] as const

/** How to read NetworkManager's value of a field, so that it can be compared with the desired one. */
type Meaning = { field: string; value: string; read?: (said: string) => string }

/** @returns the fields whose values in NetworkManager differ from the desired ones; `output` has one `field:value` per line */
export function profileFaults(nic: WantedInterface, output: string): string[] {
	const found = new Map(
		output
			.split('\n')
			.flatMap(line => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])),
	)
	return meanings(nic).flatMap(({ field, value, read = inOneLine }) => {
		const words = found.get(field)
		if (words === undefined) return [`it does not report ${field}`]
		return read(words) === value ? [] : [`${field} is ${inOneLine(words)}, not ${value}`]
	})
}

function meanings(nic: WantedInterface): Meaning[] {
	return [
		{ field: 'connection.interface-name', value: nic.name },
		...(nic.mtu === undefined ? [] : [{ field: '802-3-ethernet.mtu', value: String(nic.mtu) }]),
		...([4, 6] as const).flatMap(family => meaningsOf(nic, family)),
	]
}

function meaningsOf(nic: WantedInterface, family: Family): Meaning[] {
	const addresses = addressesOf(nic).filter(cidr => familyOf(cidr) === family)
	if (addresses.length === 0) return family === 4 ? [{ field: 'ipv4.method', value: 'disabled' }] : []
	const rules = rulesOf(nic).filter(rule => rule.family === family)
	const routes = routesOf(nic, 0).filter(route => route.family === family)
	return [
		{ field: `ipv${family}.method`, value: 'manual' },
		{ field: `ipv${family}.route-metric`, value: String(PREFIX_METRICS[family]) },
		{ field: `ipv${family}.addresses`, value: addresses.join(', ') },
		{ field: `ipv${family}.routes`, value: inOrder(routes.map(routeWords)), read: said => inOrder(said.split(',').map(readRoute)) },
		{ field: `ipv${family}.routing-rules`, value: rules.map(rule => profileRule(rule).replaceAll(/\/(32|128) /g, ' ')).join(', ') },
	]
}

function inOneLine(said: string): string {
	return said.replace(/\s+/g, ' ').trim()
}

/** The order of routes does not matter, nor does a duplicate. */
function inOrder(routes: readonly string[]): string {
	return [...new Set(routes)].filter(Boolean).toSorted().join(', ')
}

function routeWords({ to, via, table }: Pick<Route, 'to' | 'via' | 'table'>): string {
	return `${to}${via === undefined ? '' : ` via ${via}`} table ${table}`
}

/** `10.9.0.0/16 10.0.0.7 50 onlink=true table=100`, all but the first optional. */
function readRoute(said: string): string {
	const [to = '', ...more] = said.trim().split(' ')
	const via = more.find(word => /[.:]/.test(word) && !['0.0.0.0', '::'].includes(word))
	const table = Number(/table=(\d+)/.exec(said)?.[1] ?? MAIN)
	return to && routeWords({ to, table, ...(via !== undefined && { via }) })
}

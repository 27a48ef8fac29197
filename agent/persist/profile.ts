import type { WantedInterface } from '../../contract/interface.ts'
import type { Rule } from '../host/state.ts'
import { addressesOf, familyOf, rulesOf } from '../plan/routing.ts'

/** What NetworkManager's profiles have in common, whatever form they are kept in. */

/** @returns the profile's UUID, always the same for a NIC, so that NetworkManager can be asked for it: "multinic" and the MAC */
export function profileUuid({ macAddress }: WantedInterface): string {
	return `6d756c74-696e-4963-8000-${macAddress.replaceAll(':', '')}`
}

/** @see nm-settings(5), routing-rules: the words of `ip rule` */
export function ruleWords({ priority, from, table }: Rule): string {
	return `priority ${priority} from ${from} table ${table}`
}

/** What NetworkManager is asked of a profile that it has read. */
export const PROFILE_FIELDS = ['connection.interface-name', '802-3-ethernet.mtu', 'ipv4', 'ipv6'] as const

/** @returns what NetworkManager has read otherwise than it is meant; `said` is its answer, `field:value` a line */
export function profileFaults(nic: WantedInterface, said: string): string[] {
	const found = new Map(
		said
			.split('\n')
			.flatMap(line => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])),
	)
	const wanted: [field: string, value: string][] = [
		['connection.interface-name', nic.name],
		...(nic.mtu === undefined ? [] : [['802-3-ethernet.mtu', String(nic.mtu)] as [string, string]]),
		...([4, 6] as const).flatMap((family): [string, string][] => {
			const addresses = addressesOf(nic).filter(cidr => familyOf(cidr) === family)
			if (addresses.length === 0) return []
			const rules = rulesOf(nic).filter(rule => rule.family === family)
			return [
				[`ipv${family}.method`, 'manual'],
				[`ipv${family}.addresses`, addresses.join(', ')],
				[`ipv${family}.routing-rules`, rules.map(rule => ruleWords(rule).replace(/\/(32|128) /, ' ')).join(', ')],
			]
		}),
	]
	const differs = wanted.filter(
		([field, value]) => found.get(field) !== undefined && found.get(field)?.replace(/\s+/g, ' ').trim() !== value,
	)
	const missing = wanted.filter(([field]) => !found.has(field))
	return [
		...differs.map(([field, value]) => `${field} is ${found.get(field)}, not ${value}`),
		...missing.map(([field]) => `it says nothing of ${field}`),
	]
}

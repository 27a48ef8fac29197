import type { WantedInterface } from '../../contract/interface.ts'

/** Profiles not managed by MultiNIC that NetworkManager could activate on a managed NIC instead of MultiNIC's. */

/** The fields to query of all NetworkManager profiles, one profile per line. The name is last, because it may contain a colon. */
export const RIVAL_FIELDS = ['UUID', 'TYPE', 'AUTOCONNECT', 'AUTOCONNECT-PRIORITY', 'NAME'] as const

/** The fields to query of a profile that has at least the priority of MultiNIC's. */
export const FIT_FIELDS = ['connection.interface-name', '802-3-ethernet.mac-address'] as const

export type Rival = { uuid: string; name: string }

/**
 * MultiNIC's profiles have the highest possible priority. Of profiles with equal priority, NetworkManager uses the one that was active
 * last.
 */
const HIGHEST = 999

/**
 * @param output the output for `RIVAL_FIELDS`
 * @param own the UUIDs of MultiNIC's profiles
 * @see nm-settings(5), connection.autoconnect-priority
 */
export function rivals(output: string, own: ReadonlySet<string>): Rival[] {
	return output.split('\n').flatMap(line => {
		const [, uuid = '', type, autoconnect, priority, name = ''] = /^([^:]*):([^:]*):([^:]*):([^:]*):(.*)$/.exec(line) ?? []
		const isRival = type === '802-3-ethernet' && autoconnect === 'yes' && Number(priority) >= HIGHEST && !own.has(uuid)
		return isRival ? [{ uuid, name }] : []
	})
}

/** @param output the output for `FIT_FIELDS`, one `field:value` per line; a profile that sets neither matches every NIC */
export function isProfileFor({ name, macAddress }: WantedInterface, output: string): boolean {
	const wordOf = (field: string) => new RegExp(`^${field}:(.*)$`, 'm').exec(output)?.[1]?.trim() ?? ''
	const [wanted, mac] = [wordOf(FIT_FIELDS[0]), wordOf(FIT_FIELDS[1]).toLowerCase()]
	return (wanted === '' || wanted === name) && (mac === '' || mac === macAddress)
}

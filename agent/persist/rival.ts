import type { WantedInterface } from '../../contract/interface.ts'

/** Profiles of others that NetworkManager could activate on one of our NICs in place of ours. */

/** What NetworkManager is asked of all its profiles, one a line. The name is last, because it may hold a colon. */
export const RIVAL_FIELDS = ['UUID', 'TYPE', 'AUTOCONNECT', 'AUTOCONNECT-PRIORITY', 'NAME'] as const

/** What it is asked of a profile that ranks no lower than ours. */
export const FIT_FIELDS = ['connection.interface-name', '802-3-ethernet.mac-address'] as const

export type Rival = { uuid: string; name: string }

/** Ours have the highest priority there is; of profiles with the same, NetworkManager takes the one that was active last. */
const HIGHEST = 999

/**
 * @param said its answer by `RIVAL_FIELDS`
 * @param own the UUIDs of ours
 * @see nm-settings(5), connection.autoconnect-priority
 */
export function rivals(said: string, own: ReadonlySet<string>): Rival[] {
	return said.split('\n').flatMap(line => {
		const [, uuid = '', type, autoconnect, priority, name = ''] = /^([^:]*):([^:]*):([^:]*):([^:]*):(.*)$/.exec(line) ?? []
		const isRival = type === '802-3-ethernet' && autoconnect === 'yes' && Number(priority) >= HIGHEST && !own.has(uuid)
		return isRival ? [{ uuid, name }] : []
	})
}

/** @param said its answer by `FIT_FIELDS`, `field:value` a line; a profile that names neither fits every NIC */
export function fits({ name, macAddress }: WantedInterface, said: string): boolean {
	const wordOf = (field: string) => new RegExp(`^${field}:(.*)$`, 'm').exec(said)?.[1]?.trim() ?? ''
	const [wanted, mac] = [wordOf(FIT_FIELDS[0]), wordOf(FIT_FIELDS[1]).toLowerCase()]
	return (wanted === '' || wanted === name) && (mac === '' || mac === macAddress)
}

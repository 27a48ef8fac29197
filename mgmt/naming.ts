import { MAX_INTERFACES } from '../contract/names.ts'

/** What is known of a port when it is named. */
export type Nameable = { id: string; mac: string }
/** An id that is taken, by whom. Objects of the Go systems know no port. */
export type Taken = { id: number; macAddress: string; portId?: string | undefined }

/**
 * Which port is which `multinicN`. Sticky: a port keeps its id while it lives, a new one takes the lowest free, in the order given.
 *
 * A port is known again by its id, else by its MAC, which is what the node knows a NIC by.
 *
 * @returns port id → interface id; ports for which none of the ten is left are missing
 */
export function nameInterfaces(ports: readonly Nameable[], inForce: readonly Taken[]): Map<string, number> {
	const ids = new Map<string, number>()
	const used = new Set<number>()
	const keep = (port: Nameable, taken: Taken | undefined) => {
		if (!taken || ids.has(port.id) || used.has(taken.id)) return
		ids.set(port.id, taken.id)
		used.add(taken.id)
	}
	for (const port of ports)
		keep(
			port,
			inForce.find(({ portId }) => portId === port.id),
		)
	for (const port of ports)
		keep(
			port,
			inForce.find(({ macAddress, id }) => macAddress === port.mac && !used.has(id)),
		)
	const free = Array.from({ length: MAX_INTERFACES }, (_, id) => id).filter(id => !used.has(id))
	for (const port of ports) {
		if (ids.has(port.id)) continue
		const id = free.shift()
		if (id !== undefined) ids.set(port.id, id)
	}
	return ids
}

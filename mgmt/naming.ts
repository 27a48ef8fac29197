import { MAX_INTERFACES } from '../contract/names.ts'

/** What is known of a port when its interface id is chosen. */
export type Nameable = { id: string; mac: string }
/** An id that is in use, and its port. Objects of the Go systems have no port id. */
export type Taken = { id: number; macAddress: string; portId?: string | undefined }

/**
 * Assigns `multinicN` ids to ports. A port keeps its id while it exists; a new one gets the lowest free id, in the given order.
 *
 * A port is recognized by its id, otherwise by its MAC, which is how the node identifies a NIC.
 *
 * @returns port id → interface id; ports for which no id of the ten is free are missing
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

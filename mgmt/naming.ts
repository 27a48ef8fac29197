import { MAX_INTERFACES } from '../contract/names.ts'

/** The facts about a port that determine its interface id. */
export type Nameable = { id: string; mac: string }
/** An interface id that is in use, and its port. Objects of the Go systems have no port id. */
export type Taken = { id: number; macAddress: string; portId?: string | undefined }

/**
 * Assigns `multinicN` ids to ports. A port keeps its id while it exists; a new port gets the lowest free id, in the given order.
 *
 * A port is recognized by its id, or otherwise by its MAC, by which the node identifies a NIC.
 *
 * @returns port id → interface id; a port is missing if none of the ten ids is free
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

import { MAX_INTERFACES } from '../contract/names.ts'

/** The facts about a port that determine its interface id. */
export type Nameable = { id: string; mac: string }
/** An interface id that is in use, and its port. Objects of the Go systems have no port id. */
export type Taken = { id: number; macAddress: string; portId?: string | undefined }

/**
 * Assigns `multinicN` ids to ports. A port keeps the id that is in force; otherwise it gets its remembered id, if that is free; otherwise the
 * lowest free id, in the given order.
 *
 * A port in force is recognized by its id, or otherwise by its MAC, by which the node identifies a NIC.
 *
 * @param inForce the interfaces in the biz cluster
 * @param remembered port id → interface id in the inventory
 * @returns port id → interface id; a port is missing if none of the ten ids is free
 */
export function nameInterfaces(
	ports: readonly Nameable[],
	inForce: readonly Taken[],
	remembered: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
	const ids = new Map<string, number>()
	const used = new Set<number>()
	const take = (port: Nameable, id: number | undefined) => {
		if (id === undefined || ids.has(port.id) || used.has(id)) return
		ids.set(port.id, id)
		used.add(id)
	}
	for (const port of ports) take(port, inForce.find(({ portId }) => portId === port.id)?.id)
	for (const port of ports) take(port, inForce.find(({ macAddress, id }) => macAddress === port.mac && !used.has(id))?.id)
	for (const port of ports) take(port, remembered.get(port.id))
	const free = Array.from({ length: MAX_INTERFACES }, (_, id) => id).filter(id => !used.has(id))
	for (const port of ports) if (!ids.has(port.id)) take(port, free.shift())
	return ids
}

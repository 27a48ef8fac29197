import { MAX_INTERFACES } from '../contract/names.ts'

/** The facts about a port that determine its interface id. */
export type Nameable = { id: string; mac: string }
/** An interface id that is in use, and its port. Objects of the Go systems have no port id. */
export type Taken = { id: number; macAddress: string; portId?: string | undefined }

/** The ids of the rows in the inventory, by port id. Empty while the inventory is lost. */
export type Rows = ReadonlyMap<string, number>

/**
 * Assigns `multinicN` ids to ports. A port keeps the id that is in force; if none is, it gets the id of its row; otherwise the lowest free
 * id, in the given order.
 *
 * In force, a port is recognized by its id, or otherwise by its MAC, by which the node identifies a NIC. A row that differs from the node
 * config decides nothing, and rows of ports that are not given reserve nothing: so the ids are the same with and without the inventory while
 * the node config exists.
 *
 * @returns port id → interface id; a port is missing if all ten ids are in use
 */
export function nameInterfaces(ports: readonly Nameable[], inForce: readonly Taken[], rows: Rows = new Map()): Map<string, number> {
	const ids = new Map<string, number>()
	const used = new Set<number>()
	const keep = (port: Nameable, id: number | undefined) => {
		if (id === undefined || ids.has(port.id) || used.has(id)) return
		ids.set(port.id, id)
		used.add(id)
	}
	for (const port of ports) keep(port, inForce.find(({ portId }) => portId === port.id)?.id)
	for (const port of ports) keep(port, inForce.find(({ macAddress, id }) => macAddress === port.mac && !used.has(id))?.id)
	for (const port of ports) keep(port, rows.get(port.id))
	const free = Array.from({ length: MAX_INTERFACES }, (_, id) => id).filter(id => !used.has(id))
	for (const port of ports) if (!ids.has(port.id)) keep(port, free.shift())
	return ids
}

/** What orders ports that have no id yet. */
export type FirstKeys = {
	/** Position of the port's subnet in the OpenstackConfig. */
	subnet: number
	/** `created_at` of Neutron; a port without it comes after the others of its subnet. */
	createdAt?: string | undefined
	portId: string
}

/** Compares two ports for the order in which they get ids if neither the biz cluster nor the inventory knows them: for `toSorted`. */
export function compareFirst(a: FirstKeys, b: FirstKeys): number {
	return a.subnet - b.subnet || compare(timeOf(a), timeOf(b)) || compare(a.portId, b.portId)
}

/** Neutron writes times in UTC, with or without a zone. */
function timeOf({ createdAt = '' }: FirstKeys): number {
	const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(createdAt) ? createdAt : `${createdAt.replace(' ', 'T')}Z`)
	return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
}

function compare<T>(a: T, b: T): number {
	return a < b ? -1 : Number(a > b)
}

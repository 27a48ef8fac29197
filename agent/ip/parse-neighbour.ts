import * as z from 'zod'
import type { Neighbour } from '../model/host-state.ts'

/** Parses the output of `ip -N -j -d neigh show nud permanent nud noarp` and `neigh show proxy`. */

const FLAGS = ['router', 'extern_learn', 'managed']
const IpNeighbour = z.looseObject({
	dst: z.string(),
	/** Absent for a proxy entry that applies to every link. */
	dev: z.string().optional(),
	lladdr: z.string().default(''),
	state: z.array(z.string()).default([]),
	protocol: z.coerce.number().int().optional(),
})
/** The kernel derives `offload` and similar keys from the link; the others describe the age of the entry. */
const DERIVED = ['proxy', 'offload', 'offloaded', 'used', 'confirmed', 'updated', 'refcnt', 'probes', 'ref', 'updatedBy', 'deleted']
const KEYS: ReadonlySet<string> = new Set([...Object.keys(IpNeighbour.shape), ...FLAGS, ...DERIVED])

export type ParsedNeighbour = { neighbour: Neighbour; unknown: readonly string[] }

/** @returns the neighbour entries that belong to links, with the unknown keys of each */
export function parseNeighbours(json: unknown, indexes: ReadonlyMap<string, number>): ParsedNeighbour[] {
	return z
		.array(IpNeighbour)
		.parse(json)
		.flatMap(raw => {
			const { dst, dev, lladdr, protocol } = raw
			const link = dev === undefined ? undefined : indexes.get(dev)
			const isNoArp = raw.state.includes('NOARP')
			if (link === undefined || (isNoArp && !isOneStation(lladdr))) return []
			const flags = FLAGS.filter(flag => flag in raw)
			const neighbour: Neighbour = {
				link,
				ip: dst,
				mac: lladdr,
				...('proxy' in raw && { proxy: true }),
				...(isNoArp && { noArp: true }),
				...(flags.length > 0 && { flags }),
				...(protocol !== undefined && { protocol }),
			}
			return [{ neighbour, unknown: Object.keys(raw).filter(key => !KEYS.has(key)) }]
		})
}

/**
 * Whether the MAC belongs to a single host. The kernel itself adds entries for multicast and broadcast, and for links without MAC
 * addresses.
 */
function isOneStation(mac: string): boolean {
	return /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/.test(mac) && mac !== '00:00:00:00:00:00'
}

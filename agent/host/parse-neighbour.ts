import * as z from 'zod'
import type { Neighbour } from './state.ts'

/** Neighbours of `ip -N -j -d neigh show nud permanent` and `neigh show proxy`. */

const FLAGS = ['router', 'extern_learn', 'managed']
const IpNeighbour = z.looseObject({
	dst: z.string(),
	/** Absent for a proxy of every link. */
	dev: z.string().optional(),
	lladdr: z.string().default(''),
	protocol: z.coerce.number().int().optional(),
})
/** `offload` and the like follow from the link; the rest is its age. */
const DERIVED = [
	'proxy',
	'state',
	'offload',
	'offloaded',
	'used',
	'confirmed',
	'updated',
	'refcnt',
	'probes',
	'ref',
	'updatedBy',
	'deleted',
]
const KEYS: ReadonlySet<string> = new Set([...Object.keys(IpNeighbour.shape), ...FLAGS, ...DERIVED])

export type ParsedNeighbour = { neighbour: Neighbour; unknown: readonly string[] }

/** @returns neighbours of a link, with the keys of each that are not known */
export function parseNeighbours(json: unknown, indexes: ReadonlyMap<string, number>): ParsedNeighbour[] {
	return z
		.array(IpNeighbour)
		.parse(json)
		.flatMap(raw => {
			const { dst, dev, lladdr, protocol } = raw
			const link = dev === undefined ? undefined : indexes.get(dev)
			if (link === undefined) return []
			const flags = FLAGS.filter(flag => flag in raw)
			const neighbour: Neighbour = {
				link,
				ip: dst,
				mac: lladdr,
				...('proxy' in raw && { proxy: true }),
				...(flags.length > 0 && { flags }),
				...(protocol !== undefined && { protocol }),
			}
			return [{ neighbour, unknown: Object.keys(raw).filter(key => !KEYS.has(key)) }]
		})
}

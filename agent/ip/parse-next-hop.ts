import * as z from 'zod'
import { canonicalIp } from '../../contract/ip.ts'
import type { NextHop, NextHopObject } from '../model/route.ts'
import { ENCAP_KEYS, encapOf } from './parse-encap.ts'

/** Parses the next hops of routes, and the nexthop objects of `ip -N -j -d nexthop show`. */

const Int = z.coerce.number().int()
/** RT_SCOPE_HOST. */
const HOST = 254
type Indexes = ReadonlyMap<string, number>

export const Flow = z.object({ from: z.string().optional(), to: z.string() })
const Via = z.object({ host: z.string() })
const IpNextHop = z.looseObject({
	gateway: z.string().optional(),
	via: Via.optional(),
	dev: z.string().optional(),
	weight: Int.default(1),
	flow: Flow.optional(),
	flags: z.array(z.string()).default([]),
})
export const IpNextHops = z.array(IpNextHop)
const IpNextHopObject = z.looseObject({
	...IpNextHop.shape,
	id: Int,
	scope: Int.default(0),
	protocol: Int.default(0),
	group: z.array(z.looseObject({ id: Int, weight: Int.default(1) })).optional(),
	resilient_args: z.object({ buckets: Int, idle_timer: z.number(), unbalanced_timer: z.number() }).optional(),
})
const NEXT_HOP_KEYS = new Set([...Object.keys(IpNextHop.shape), ...ENCAP_KEYS])
const OBJECT_KEYS = new Set([...Object.keys(IpNextHopObject.shape), ...ENCAP_KEYS, 'blackhole', 'fdb', 'type'])
const DERIVED = new Set(['dead', 'linkdown', 'offload', 'trap', 'unresolved', 'offload_failed', 'rt_offload', 'rt_trap'])

/** @returns the unknown flags; excludes flags that the kernel derives */
export function unknownFlags(flags: readonly string[]): string[] {
	return flags.filter(flag => flag !== 'onlink' && !DERIVED.has(flag)).map(flag => `flag ${flag}`)
}

/** @returns `4/5`, or `5` if only the destination realm is set */
export function realmsOf({ from, to }: z.infer<typeof Flow>): string {
	return from === undefined || Number(from) === 0 ? to : `${from}/${to}`
}

/** @returns the next hop, and its unknown flags and keys */
export function toNextHop(raw: z.infer<typeof IpNextHop>, indexes: Indexes): { nextHop: NextHop; unknown: string[] } {
	const { flow, weight, flags } = raw
	const { encap, unknown } = encapOf(raw)
	return {
		nextHop: {
			weight,
			onlink: flags.includes('onlink'),
			...wayOf(raw, indexes),
			...(encap && { encap }),
			...(flow && { realms: realmsOf(flow) }),
		},
		unknown: [...unknownFlags(flags), ...unknown, ...Object.keys(raw).filter(key => !NEXT_HOP_KEYS.has(key))],
	}
}

/** @returns the nexthop objects, with the unknown flags and keys of each */
export function parseNextHopObjects(json: unknown, indexes: Indexes): { object: NextHopObject; unknown: string[] }[] {
	return z
		.array(IpNextHopObject)
		.parse(json)
		.map(raw => {
			const { encap, unknown } = encapOf(raw)
			return {
				object: { ...toObject(raw, indexes), ...(encap && { encap }) },
				unknown: [...unknownFlags(raw.flags), ...unknown, ...Object.keys(raw).filter(key => !OBJECT_KEYS.has(key))],
			}
		})
}

function toObject(raw: z.infer<typeof IpNextHopObject>, indexes: Indexes): NextHopObject {
	const { id, group, resilient_args: resilient, protocol, flags, scope } = raw
	const way = wayOf(raw, indexes)
	// Without a next hop, only the scope shows the family: the scope of an IPv4 object is then host.
	const isSix = way.via?.includes(':') ?? (way.link !== undefined && scope !== HOST)
	return {
		id,
		family: isSix ? 6 : 4,
		onlink: flags.includes('onlink'),
		protocol,
		...way,
		...('blackhole' in raw && { blackhole: true }),
		...('fdb' in raw && { fdb: true }),
		...(group && { group: group.map(member => ({ id: member.id, weight: member.weight })) }),
		...(resilient && { resilient: { buckets: resilient.buckets, idle: resilient.idle_timer, unbalanced: resilient.unbalanced_timer } }),
	}
}

/** @returns the gateway and link of a route, of one of its next hops, or of a nexthop object */
export function wayOf(
	{ gateway, via: other, dev }: { gateway?: string | undefined; via?: { host: string } | undefined; dev?: string | undefined },
	indexes: Indexes,
): { via?: string; link?: number } {
	const via = gateway ?? other?.host
	const link = dev === undefined ? undefined : indexes.get(dev)
	return { ...(via !== undefined && { via: canonicalIp(via) }), ...(link !== undefined && { link }) }
}

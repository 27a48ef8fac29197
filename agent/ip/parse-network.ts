import * as z from 'zod'
import type { HostState, Link } from '../model/host-state.ts'
import type { NextHopObject } from '../model/route.ts'
import { IpAddress, toAddress } from './parse-address.ts'
import { parseNeighbours } from './parse-neighbour.ts'
import { parseNextHopObjects } from './parse-next-hop.ts'
import { IpRoute, toRoute } from './parse-route.ts'
import { unknownByLink, unknownKeys } from './unknown-keys.ts'

/** Parses the output of `ip -N -j -d`. It is numeric (`-N`), because each host may define its own names of tables and protocols. */

const Int = z.coerce.number().int()

const IpLink = z.looseObject({
	ifindex: Int,
	ifname: z.string(),
	altnames: z.array(z.string()).default([]),
	flags: z.array(z.string()),
	mtu: Int,
	min_mtu: Int.default(0),
	max_mtu: Int.default(0),
	master: z.string().optional(),
	group: z.string().default('0'),
	link: z.string().nullish(),
	link_index: Int.optional(),
	/** Set if the lower link is in another network namespace, in which the same index may belong to a different link. */
	link_netnsid: Int.optional(),
	link_type: z.string(),
	address: z.string().default(''),
	permaddr: z.string().optional(),
	linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
	addr_info: z.array(IpAddress).default([]),
})
type IpLink = z.infer<typeof IpLink>

/** Parsed JSON of `addr show`, `route show table all`, `neigh show nud permanent nud noarp`, `neigh show proxy` and `nexthop show`. */
export type Documents = { addresses: unknown; routes: unknown; neighbours: unknown; proxies?: unknown; nextHops?: unknown }
export type Network = Pick<HostState, 'links' | 'routes' | 'neighbours'> & { nextHopObjects: readonly NextHopObject[] }

/** @throws ZodError if a value in the output of `ip` has an unexpected type; unknown keys are stored with their link */
export function parseNetwork({ addresses, routes, neighbours, proxies = [], nextHops = [] }: Documents): Network {
	const links = z.array(IpLink).parse(addresses)
	const indexes = new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]))
	const objects = parseNextHopObjects(nextHops, indexes)
	const known = { indexes, objects: new Map(objects.map(({ object }) => [object.id, object])) }
	const parsed = z
		.array(IpRoute)
		.parse(routes)
		.map(raw => toRoute(raw, known))
	const others = [...parseNeighbours(neighbours, indexes), ...parseNeighbours(proxies, indexes)]
	const unknown = unknownByLink({ routes: parsed, objects, neighbours: others })
	return {
		links: links.map(link => {
			const odd = [...unknownKeys(link), ...(unknown.get(link.ifindex) ?? [])]
			return { ...toLink(link, indexes), ...(odd.length > 0 && { unknown: odd }) }
		}),
		routes: parsed.map(({ route }) => route),
		neighbours: others.map(({ neighbour }) => neighbour),
		nextHopObjects: objects.map(({ object }) => object),
	}
}

function toLink(raw: IpLink, indexes: ReadonlyMap<string, number>): Link {
	const lower = raw.link_netnsid === undefined ? (raw.link_index ?? (raw.link ? indexes.get(raw.link) : undefined)) : undefined
	return {
		ifindex: raw.ifindex,
		name: raw.ifname,
		altnames: raw.altnames,
		ethernet: raw.link_type === '[1]' || raw.link_type === 'ether',
		mac: raw.address.toLowerCase(),
		up: raw.flags.includes('UP'),
		carrier: !raw.flags.includes('NO-CARRIER'),
		mtu: raw.mtu,
		minMtu: raw.min_mtu,
		maxMtu: raw.max_mtu,
		addresses: raw.addr_info.flatMap(address => toAddress(address, raw.ifname) ?? []),
		sysctls: {},
		...(raw.linkinfo?.info_kind !== undefined && { kind: raw.linkinfo.info_kind }),
		...(raw.permaddr !== undefined && { permanentMac: raw.permaddr.toLowerCase() }),
		...(raw.master !== undefined && { master: raw.master }),
		...(lower !== undefined && { lower }),
		...(Number(raw.group) > 0 && { group: Number(raw.group) }),
	}
}

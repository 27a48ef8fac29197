import * as z from 'zod'
import { canonicalIp } from '../../contract/ip.ts'
import type { Address, Family, Link, Neighbour, Route } from './state.ts'

/** `ip -N -j -d` in our words. Numeric (`-N`), because names of tables and protocols are the host's to choose. */

const Int = z.coerce.number().int()
const infinite = 4_294_967_295

const IpAddress = z.object({
	family: z.string().default(''),
	local: z.string().optional(),
	prefixlen: Int.default(0),
	scope: Int.default(0),
	dynamic: z.boolean().optional(),
	dadfailed: z.boolean().optional(),
	broadcast: z.string().optional(),
	valid_life_time: Int.optional(),
})
const IpLink = z.object({
	ifindex: Int,
	ifname: z.string(),
	altnames: z.array(z.string()).default([]),
	flags: z.array(z.string()),
	mtu: Int,
	min_mtu: Int.default(0),
	max_mtu: Int.default(0),
	master: z.string().optional(),
	link: z.string().nullish(),
	link_index: Int.optional(),
	link_type: z.string(),
	address: z.string().default(''),
	permaddr: z.string().optional(),
	linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
	addr_info: z.array(IpAddress).default([]),
})
const IpRoute = z.object({
	type: Int.default(1),
	dst: z.string(),
	gateway: z.string().optional(),
	via: z.object({ host: z.string() }).optional(),
	dev: z.string().optional(),
	table: Int.default(254),
	protocol: Int.default(0),
	scope: Int.default(0),
	metric: Int.default(0),
	prefsrc: z.string().optional(),
	pref: z.string().optional(),
	flags: z.array(z.string()).default([]),
})
const IpNeighbour = z.object({ dst: z.string(), dev: z.string(), lladdr: z.string().default('') })

/** @param json the documents of `addr show`, `route show table all`, `neigh show nud permanent` */
export function parseNetwork(json: readonly unknown[]): { links: Link[]; routes: Route[]; neighbours: Neighbour[] } {
	const [addresses = [], routes = [], neighbours = []] = json
	const links = z.array(IpLink).parse(addresses)
	const indexes = new Map(links.map(({ ifname, ifindex }) => [ifname, ifindex]))
	return {
		links: links.map(link => toLink(link, indexes)),
		routes: z
			.array(IpRoute)
			.parse(routes)
			.map(route => toRoute(route, indexes)),
		neighbours: z
			.array(IpNeighbour)
			.parse(neighbours)
			.map(({ dst, dev, lladdr }) => ({ link: indexes.get(dev) ?? 0, ip: dst, mac: lladdr })),
	}
}

function toLink(raw: z.infer<typeof IpLink>, indexes: ReadonlyMap<string, number>): Link {
	const lower = raw.link_index ?? (raw.link ? indexes.get(raw.link) : undefined)
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
		addresses: raw.addr_info.flatMap(address => (address.local === undefined ? [] : [toAddress({ ...address, local: address.local })])),
		sysctls: {},
		...(raw.linkinfo?.info_kind !== undefined && { kind: raw.linkinfo.info_kind }),
		...(raw.permaddr !== undefined && { permanentMac: raw.permaddr.toLowerCase() }),
		...(raw.master !== undefined && { master: raw.master }),
		...(lower !== undefined && { lower }),
	}
}

function toAddress({ family, local, prefixlen, ...raw }: z.infer<typeof IpAddress> & { local: string }): Address {
	return {
		family: family === 'inet6' ? 6 : 4,
		cidr: `${local}/${prefixlen}`,
		global: raw.scope === 0,
		dynamic: raw.dynamic ?? false,
		...(raw.dadfailed && { duplicate: true }),
		...(raw.valid_life_time !== undefined && raw.valid_life_time !== infinite && { validSeconds: raw.valid_life_time }),
		...(raw.broadcast !== undefined && { broadcast: raw.broadcast }),
	}
}

function toRoute(raw: z.infer<typeof IpRoute>, indexes: ReadonlyMap<string, number>): Route {
	const via = raw.gateway ?? raw.via?.host
	const family = familyOf(raw)
	const link = raw.dev === undefined ? undefined : indexes.get(raw.dev)
	return {
		family,
		to: raw.dst === 'default' ? everything(family) : raw.dst.includes('/') ? raw.dst : `${raw.dst}/${full(family)}`,
		table: raw.table,
		metric: raw.metric,
		protocol: raw.protocol,
		type: raw.type,
		scope: raw.scope,
		onlink: raw.flags.includes('onlink'),
		...(via !== undefined && { via: canonicalIp(via) }),
		...(link !== undefined && { link }),
		...(raw.prefsrc !== undefined && { source: raw.prefsrc }),
	}
}

/** `default` alone does not tell its family; `pref` does: only IPv6 routes have it. */
function familyOf({ dst, pref }: z.infer<typeof IpRoute>): Family {
	return dst.includes(':') || pref !== undefined ? 6 : 4
}

function everything(family: Family): string {
	return family === 4 ? '0.0.0.0/0' : '::/0'
}

function full(family: Family): number {
	return family === 4 ? 32 : 128
}

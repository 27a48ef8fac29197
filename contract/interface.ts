import * as z from 'zod'
import type { Bases } from './bases.ts'
import { interfaceRules } from './interface-rules.ts'
import { interfaceName, MAX_INTERFACES } from './names.ts'
import { Cidr, HostCidr, HostIp, Id, Mac, Mtu, OwnCidr } from './primitives.ts'

const words = {
	via: 'via must be of the family (IPv4 or IPv6) of to',
	macs: 'macAddress must be unique among the interfaces of a node',
	someIds: 'either all interfaces have an id or none has',
	ids: 'id must be unique among the interfaces of a node',
	local: 'table must not be 255, the local table of the kernel',
}

/**
 * The kernel's local table.
 *
 * @see /etc/iproute2/rt_tables
 */
const LOCAL_TABLE = 255

export const Route = z
	.object({
		to: Cidr.describe('Destination network; 0.0.0.0/0 or ::/0 for a default route'),
		via: HostIp.optional().describe('Next hop; on-link if omitted'),
		metric: z.int().min(0).max(4_294_967_295).optional(),
		table: z.int().min(1).max(4_294_967_295).optional().describe("Default: the interface's own table (route table base + id)"),
	})
	.refine(({ to, via }) => via === undefined || to.includes(':') === via.includes(':'), { path: ['via'], message: words.via })
	.refine(({ table }) => table !== LOCAL_TABLE, { path: ['table'], message: words.local })
	.meta({
		'x-kubernetes-validations': [{ rule: `!has(self.table) || self.table != ${LOCAL_TABLE}`, message: words.local, fieldPath: '.table' }],
	})
	.describe('Static route of this interface')
export type Route = z.infer<typeof Route>

const fields = z.object({
	id: z
		.int()
		.min(0)
		.max(MAX_INTERFACES - 1)
		.optional()
		.describe('N in multinicN. Set on all interfaces or on none; if omitted, the position in the list'),
	name: z
		.string()
		.max(15)
		.regex(/^multinic[0-9]$/)
		.optional()
		.describe('multinic + id; optional'),
	portId: Id.optional().describe('Neutron port'),
	networkId: Id.optional().describe('Neutron network'),
	subnetId: Id.optional().describe('Neutron subnet'),
	macAddress: Mac,
	address: HostIp.optional().describe('Fixed IP of the port; optional'),
	cidr: OwnCidr.optional().describe('Network of the address, or the address with its prefix length'),
	mtu: Mtu.optional().describe('Bytes; unchanged if omitted'),
	addresses: z.array(HostCidr).max(8).optional().describe('Additional IPv4 or IPv6 addresses, each with its prefix length'),
	gateway: HostIp.optional().describe("Next hop of the default route in the interface's own table"),
	routes: z.array(Route).max(16).optional(),
	defaultRoute: z.boolean().optional().describe('Also add a default route to the main table; default false'),
	policyRouting: z.boolean().optional().describe('Own route table and `from` rule; default true'),
	connectedRoute: z.boolean().optional().describe('false: no routes to the networks of the addresses in the main table; default true'),
})

const celRules = interfaceRules.flatMap(({ cel, message, field }) =>
	cel === undefined ? [] : [{ rule: cel, message, fieldPath: `.${field}` }],
)

/** One desired NIC in a node config. Each rule exists twice: in CEL for the API server, and in code for everything else. */
export const Interface = fields
	.superRefine((nic, ctx) => {
		for (const { field, message, holds } of interfaceRules) if (!holds(nic)) ctx.addIssue({ code: 'custom', path: [field], message })
	})
	.meta({ 'x-kubernetes-validations': celRules })
export type Interface = z.infer<typeof Interface>

/** An address as stored, of any form, but not longer than addresses are. */
const StoredAddress = z.string().max(45)
const StoredCidr = z.string().max(49)

/** An interface as stored. It may be older than a rule, so its addresses are only shown and not validated. */
export const StoredInterface = fields.extend({
	address: StoredAddress.optional(),
	cidr: StoredCidr.optional(),
	addresses: z.array(StoredCidr).max(64).optional(),
	gateway: StoredAddress.optional(),
	routes: z
		.array(z.object({ ...Route.shape, to: StoredCidr, via: StoredAddress.optional() }))
		.max(64)
		.optional(),
})

const listRules = [
	{
		rule: '[self.map(x, x.macAddress.lowerAscii())].all(m, m.all(a, m.exists_one(b, a == b)))',
		message: words.macs,
	},
	{ rule: 'self.all(x, has(x.id)) || !self.exists(x, has(x.id))', message: words.someIds },
	{
		rule: '[self.filter(x, has(x.id)).map(x, x.id)].all(m, m.all(a, m.exists_one(b, a == b)))',
		message: words.ids,
	},
]

/**
 * The interfaces of a node, which are replaced as a whole. An empty list removes MultiNIC's interfaces; the list is required, so that
 * removal is always intended.
 */
export const Interfaces = z
	.array(Interface)
	.max(MAX_INTERFACES)
	.superRefine((nics, ctx) => {
		const ids = nics.flatMap(nic => (nic.id === undefined ? [] : [nic.id]))
		if (new Set(nics.map(nic => nic.macAddress)).size < nics.length) ctx.addIssue({ code: 'custom', message: words.macs })
		if (ids.length > 0 && ids.length < nics.length) ctx.addIssue({ code: 'custom', message: words.someIds })
		if (new Set(ids).size < ids.length) ctx.addIssue({ code: 'custom', message: words.ids })
	})
	.meta({ 'x-kubernetes-list-type': 'atomic', 'x-kubernetes-validations': listRules })

type Settled = { id: number; name: string; defaultRoute: boolean; policyRouting: boolean; connectedRoute: boolean }

/**
 * Values that all interfaces of a node share. `bases`: of the route tables and rule priorities; `podNetworks`: networks of the node's pods.
 */
export type OfNode = { bases?: Bases; podNetworks?: readonly string[] }

/** An interface with its id and all defaults: the input of a run. */
export type WantedInterface = Interface & Settled & OfNode

/** Fills in optional fields: the id (by position), the name, the defaults, and the values that all interfaces of the node share. */
export function settle(nics: readonly Interface[], ofNode: OfNode = {}): WantedInterface[] {
	return nics.map((nic, position) => {
		const { defaultRoute = false, policyRouting = true, connectedRoute = true, id = position } = nic
		return { ...nic, id, name: interfaceName(id), defaultRoute, policyRouting, connectedRoute, ...ofNode }
	})
}

type CanonicalInterface = Omit<WantedInterface, 'connectedRoute'> & { connectedRoute?: false }

/**
 * @returns the interfaces in the form in which they are compared and hashed, with ids and defaults. A field that was added after hashes had
 *   been stored is omitted if it has its default value, so that stored hashes remain valid.
 */
export function canonicalForm(nics: readonly Interface[]): CanonicalInterface[] {
	return settle(nics).map(({ connectedRoute, ...nic }) => (connectedRoute ? nic : { ...nic, connectedRoute: false }))
}

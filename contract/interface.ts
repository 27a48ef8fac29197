import * as z from 'zod'
import { contains } from './ip.ts'
import { interfaceName, MAX_INTERFACES } from './names.ts'
import { Cidr, Id, Ip, Mac, Mtu } from './primitives.ts'

export const Route = z
	.object({
		to: Cidr.describe('Destination network; 0.0.0.0/0 or ::/0 for a default route'),
		via: Ip.optional().describe('Next hop; on-link when left out'),
		metric: z.int().min(0).max(4_294_967_295).optional(),
		table: z.int().min(1).max(4_294_967_295).optional().describe("Left out: the interface's own table (100 + id)"),
	})
	.describe('A static route over this interface')
export type Route = z.infer<typeof Route>

const fields = z.object({
	id: z
		.int()
		.min(0)
		.max(MAX_INTERFACES - 1)
		.optional()
		.describe('The N of multinicN; every interface has one, or none has and position counts'),
	name: z
		.string()
		.max(15)
		.regex(/^multinic[0-9]$/)
		.optional()
		.describe('multinic + id; may be left out'),
	portId: Id.optional().describe('Neutron port'),
	networkId: Id.optional().describe('Neutron network'),
	subnetId: Id.optional().describe('Neutron subnet'),
	macAddress: Mac,
	address: Ip.optional().describe('Fixed IP of the port; without one the NIC is given the rest alone'),
	cidr: Cidr.optional().describe('Network of address, or the address with its prefix length; both forms are in use'),
	mtu: Mtu.optional().describe('Bytes; left as it is when absent'),
	addresses: z.array(Cidr).max(8).optional().describe('Further IPv4 or IPv6 addresses, each with its prefix length'),
	gateway: Ip.optional().describe('Next hop of the default route in the own table of the interface'),
	routes: z.array(Route).max(16).optional(),
	defaultRoute: z.boolean().optional().describe("Also the node's default route; false when left out"),
	policyRouting: z.boolean().optional().describe('Own table and `from` rule; true when left out'),
	connectedRoute: z
		.boolean()
		.optional()
		.describe("false: the main table gets no route to the networks of this NIC's addresses; true when left out"),
})

/** The same words at every door. */
const words = {
	name: "name must be 'multinic' followed by id",
	address: 'address must be an IP address inside cidr, which must be given with it',
	connectedRoute: 'connectedRoute and policyRouting must not both be false: the network would be in no table',
	macs: 'macAddress must be unique among the interfaces of a node',
	someIds: 'either every interface has an id or none has',
	ids: 'id must be unique among the interfaces of a node',
}

const rules = [
	{
		rule: "!has(self.name) || !has(self.id) || self.name == 'multinic%d'.format([self.id])",
		message: words.name,
		fieldPath: '.name',
	},
	{
		rule: '!has(self.address) || (isIP(self.address) && has(self.cidr) && isCIDR(self.cidr) && cidr(self.cidr).containsIP(self.address))',
		message: words.address,
		fieldPath: '.address',
	},
	{
		rule: '!has(self.connectedRoute) || self.connectedRoute || !has(self.policyRouting) || self.policyRouting',
		message: words.connectedRoute,
		fieldPath: '.connectedRoute',
	},
]

/** One wanted NIC, as a node config carries it. Rules stand twice: as CEL for the API server, as code for every other door. */
export const Interface = fields
	.superRefine((nic, ctx) => {
		if (nic.name !== undefined && nic.id !== undefined && nic.name !== interfaceName(nic.id))
			ctx.addIssue({ code: 'custom', path: ['name'], message: words.name })
		if (nic.address !== undefined && !(nic.cidr !== undefined && contains(nic.cidr, nic.address)))
			ctx.addIssue({ code: 'custom', path: ['address'], message: words.address })
		if (nic.connectedRoute === false && nic.policyRouting === false)
			ctx.addIssue({ code: 'custom', path: ['connectedRoute'], message: words.connectedRoute })
	})
	.meta({ 'x-kubernetes-validations': rules })
export type Interface = z.infer<typeof Interface>

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

/** The whole list of a node, replaced as one. Empty means: remove ours; that it is there at all must be meant, so it is required. */
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

/** An interface whose id is settled and whose defaults are filled in: what a run is handed. */
export type WantedInterface = Interface & Settled

/** Fills in what may be left out: position as id, the name, the defaults. */
export function settle(nics: readonly Interface[]): WantedInterface[] {
	return nics.map((nic, position) => {
		const { defaultRoute = false, policyRouting = true, connectedRoute = true, id = position } = nic
		return { ...nic, id, name: interfaceName(id), defaultRoute, policyRouting, connectedRoute }
	})
}

type CanonicalInterface = Omit<WantedInterface, 'connectedRoute'> & { connectedRoute?: false }

/**
 * @returns settled interfaces as they are compared and hashed. A field that was added after hashes had been stored is left out where it has its
 * default, so that no stored hash becomes wrong.
 */
export function canonicalForm(nics: readonly Interface[]): CanonicalInterface[] {
	return settle(nics).map(({ connectedRoute, ...nic }) => (connectedRoute ? nic : { ...nic, connectedRoute: false }))
}

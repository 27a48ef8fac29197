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
})

/** The same words at every door. */
const words = {
	name: "name must be 'multinic' followed by id",
	address: 'address must be an IP address inside cidr, which must be given with it',
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
]

/** One wanted NIC, as a node config carries it. Rules stand twice: as CEL for the API server, as code for every other door. */
export const Interface = fields
	.superRefine((nic, ctx) => {
		if (nic.name !== undefined && nic.id !== undefined && nic.name !== interfaceName(nic.id))
			ctx.addIssue({ code: 'custom', path: ['name'], message: words.name })
		if (nic.address !== undefined && !(nic.cidr !== undefined && contains(nic.cidr, nic.address)))
			ctx.addIssue({ code: 'custom', path: ['address'], message: words.address })
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

/** An interface whose id is settled and whose defaults are filled in: what a run is handed. */
export type WantedInterface = Interface & { id: number; name: string; defaultRoute: boolean; policyRouting: boolean }

/** Fills in what may be left out: position as id, the name, the defaults. */
export function settle(nics: readonly Interface[]): WantedInterface[] {
	return nics.map((nic, position) => {
		const id = nic.id ?? position
		return { ...nic, id, name: interfaceName(id), defaultRoute: nic.defaultRoute ?? false, policyRouting: nic.policyRouting ?? true }
	})
}

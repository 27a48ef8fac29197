import * as z from 'zod'
import { networkOf } from '../../contract/ip.ts'
import { interfaceName, MAX_INTERFACES, routeTable } from '../../contract/names.ts'
import type { LabNode } from '../namespace/lab-node.ts'

/** The desired state of one NIC of a node. */
export interface WantedNic {
	readonly id: number
	readonly name: string
	readonly mac: string
	readonly mtu: number
	/** With its prefix: `192.168.10.10/24`. */
	readonly address: string
}

const Links = z.array(
	z.object({
		ifname: z.string(),
		address: z.string(),
		permaddr: z.string().optional(),
		mtu: z.int(),
		flags: z.array(z.string()),
		addr_info: z.array(z.object({ local: z.string(), prefixlen: z.int() })),
	}),
)
const Rules = z.array(z.object({ src: z.string().optional(), table: z.string().optional() }))

type Link = z.infer<typeof Links>[number]
type Rule = z.infer<typeof Rules>[number]

/**
 * Checks the node itself, independently of agent, controller and status: the kernel's view of all NICs that it must have.
 *
 * @returns a sentence for each thing that is not as desired; empty if all is correct
 */
export async function whatIsWrong(node: LabNode, wanted: readonly WantedNic[]): Promise<string[]> {
	const links = Links.parse(JSON.parse(await node.ask('ip -j address show')))
	const rules = Rules.parse(JSON.parse(await node.ask('ip -j rule show')))
	const files = (await node.ask('find /etc /run/systemd /run/udev -path /run/udev/data -prune -o -name "*multinic*" -print'))
		.split('\n')
		.filter(Boolean)
	return [...leftOf(wanted, { links, rules, files }), ...wanted.flatMap(nic => faultsOf(beside(nic, wanted), links, rules))]
}

/** Returns what is left on the node of interfaces that are not desired: links, rules into their tables, files that name them. */
function leftOf(
	wanted: readonly WantedNic[],
	seen: { links: readonly Link[]; rules: readonly Rule[]; files: readonly string[] },
): string[] {
	const unwanted = Array.from({ length: MAX_INTERFACES }, (_, id) => id).filter(id => !wanted.some(nic => nic.id === id))
	return unwanted.flatMap(id => {
		const name = interfaceName(id)
		return [
			...seen.links.filter(({ ifname }) => ifname === name).map(() => `link ${name} is unexpected`),
			...seen.rules
				.filter(({ table }) => table === String(routeTable(id)))
				.map(({ src }) => `a rule from ${src} to table ${routeTable(id)} is left`),
			...seen.files.filter(path => path.includes(name)).map(path => `${path} is left`),
		]
	})
}

/** If several NICs are in one network, the one with the lowest id has the network; the others have only their address. */
function beside(nic: WantedNic, wanted: readonly WantedNic[]): WantedNic {
	const isFirst = wanted.every(({ id, address }) => id >= nic.id || networkOf(address) !== networkOf(nic.address))
	return isFirst ? nic : { ...nic, address: nic.address.replace(/\/.*/, nic.address.includes(':') ? '/128' : '/32') }
}

function faultsOf(wanted: WantedNic, links: readonly Link[], rules: readonly Rule[]): string[] {
	const link = links.find(({ ifname }) => ifname === wanted.name)
	if (!link) return [`there is no link ${wanted.name}; there are ${links.map(({ ifname }) => ifname).join(', ')}`]
	const addresses = link.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`)
	const [source] = wanted.address.split('/')
	const table = String(routeTable(wanted.id))
	return [
		...unless((link.permaddr ?? link.address) === wanted.mac, `${wanted.name} has MAC ${link.permaddr ?? link.address}, not ${wanted.mac}`),
		...unless(link.mtu === wanted.mtu, `${wanted.name} has MTU ${link.mtu}, not ${wanted.mtu}`),
		...unless(link.flags.includes('UP'), `${wanted.name} is down`),
		...unless(addresses.includes(wanted.address), `${wanted.name} has ${addresses.join(', ') || 'no address'}, not ${wanted.address}`),
		...unless(
			rules.some(rule => rule.src === source && rule.table === table),
			`no rule sends what comes from ${source} to table ${table}`,
		),
	]
}

function unless(right: boolean, words: string): string[] {
	return right ? [] : [words]
}

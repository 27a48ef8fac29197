import * as z from 'zod'
import { networkOf } from '../../contract/ip.ts'
import { interfaceName, MAX_INTERFACES, routeTable } from '../../contract/names.ts'
import type { LabNode } from '../namespace/lab-node.ts'

/** The desired state of one NIC of a node. */
export interface ExpectedNic {
	readonly id: number
	readonly name: string
	readonly mac: string
	readonly mtu: number
	/** With its prefix length: `192.168.10.10/24`. */
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
 * Checks the node itself, independently of the agent, the controller and the status: compares the kernel's state with the expected NICs.
 *
 * @returns one sentence for each fault; empty if all is correct
 */
export async function findNodeFaults(node: LabNode, expected: readonly ExpectedNic[]): Promise<string[]> {
	const links = Links.parse(JSON.parse(await node.ask('ip -j address show')))
	const rules = Rules.parse(JSON.parse(await node.ask('ip -j rule show')))
	const files = (await node.ask('find /etc /run/systemd /run/udev -path /run/udev/data -prune -o -name "*multinic*" -print'))
		.split('\n')
		.filter(Boolean)
	return [
		...leftovers(expected, { links, rules, files }),
		...expected.flatMap(nic => faultsOf(withEffectivePrefix(nic, expected), links, rules)),
	]
}

/** Returns a sentence for each leftover of interfaces that are not desired: links, rules for their tables, files named after them. */
function leftovers(
	expected: readonly ExpectedNic[],
	found: { links: readonly Link[]; rules: readonly Rule[]; files: readonly string[] },
): string[] {
	const unexpected = Array.from({ length: MAX_INTERFACES }, (_, id) => id).filter(id => !expected.some(nic => nic.id === id))
	return unexpected.flatMap(id => {
		const name = interfaceName(id)
		return [
			...found.links.filter(({ ifname }) => ifname === name).map(() => `link ${name} is unexpected`),
			...found.rules
				.filter(({ table }) => table === String(routeTable(id)))
				.map(({ src }) => `a rule from ${src} to table ${routeTable(id)} is left over`),
			...found.files.filter(path => path.includes(name)).map(path => `${path} is left over`),
		]
	})
}

/** If several NICs are in one network, the one with the lowest id keeps the network prefix, and the others have only a host address. */
function withEffectivePrefix(nic: ExpectedNic, expected: readonly ExpectedNic[]): ExpectedNic {
	const isFirst = expected.every(({ id, address }) => id >= nic.id || networkOf(address) !== networkOf(nic.address))
	return isFirst ? nic : { ...nic, address: nic.address.replace(/\/.*/, nic.address.includes(':') ? '/128' : '/32') }
}

function faultsOf(expected: ExpectedNic, links: readonly Link[], rules: readonly Rule[]): string[] {
	const link = links.find(({ ifname }) => ifname === expected.name)
	if (!link) return [`there is no link ${expected.name}; there are ${links.map(({ ifname }) => ifname).join(', ')}`]
	const addresses = link.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`)
	const [source] = expected.address.split('/')
	const table = String(routeTable(expected.id))
	return [
		...faultUnless(
			(link.permaddr ?? link.address) === expected.mac,
			`${expected.name} has MAC ${link.permaddr ?? link.address}, not ${expected.mac}`,
		),
		...faultUnless(link.mtu === expected.mtu, `${expected.name} has MTU ${link.mtu}, not ${expected.mtu}`),
		...faultUnless(link.flags.includes('UP'), `${expected.name} is down`),
		...faultUnless(
			addresses.includes(expected.address),
			`${expected.name} has ${addresses.join(', ') || 'no address'}, not ${expected.address}`,
		),
		...faultUnless(
			rules.some(rule => rule.src === source && rule.table === table),
			`no rule for packets from ${source} looks up table ${table}`,
		),
	]
}

function faultUnless(right: boolean, words: string): string[] {
	return right ? [] : [words]
}

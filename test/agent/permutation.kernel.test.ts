import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import type { Answered } from './agent-session.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { type PrimaryNetwork, primaryNetwork } from './primary-network.ts'

/** Ten NICs get their names in random order, repeatedly, on a node with traffic. */
const isRoot = process.getuid?.() === 0
const PERMUTATIONS = Number(process.env.PERMUTATIONS ?? 200)
const macs = Array.from({ length: 10 }, (_, n) => `fa:16:3e:00:00:0${n}`)
const foreign = ['mgmt', 'br0', 'pod0', 'pod1', 'marker', 'lo']

describe.skipIf(!isRoot)('names in random order (needs root for network namespaces)', () => {
	let host: NodeHost
	let machine: NodeHost
	let network: PrimaryNetwork

	beforeAll(async () => {
		host = await nodeHost()
		machine = await nodeHost()
		network = await primaryNetwork(host, machine)
		for (const [n, mac] of macs.entries())
			await host.ip(`link add ens${n} address ${mac} type veth peer name peer${n}\nlink set peer${n} up`)
	})
	afterAll(() => {
		machine?.close()
		host?.close()
	})

	test(`${PERMUTATIONS} permutations of 10 names: each NIC is configured, no unmanaged object changes, and a TCP stream loses no data`, async () => {
		const seed = inject('seed')
		const orders = fc.sample(fc.shuffledSubarray(macs, { minLength: 10, maxLength: 10 }), { numRuns: PERMUTATIONS, seed })
		const before = await host.everything()
		const session = host.session()
		const endOfStream = await network.stream()
		const endOfWatch = await network.watch()
		let theirs: unknown
		for (const [at, order] of orders.entries()) {
			// Every fourth config omits some NICs, and every third run is on a kernel that must set a link down to rename it.
			const wish = order.slice(at % 4 === 3 ? at % 10 : 0).map((mac, n) => nicOf(mac, n))
			const answer = await session(wish, {}, at % 3 === 2 ? { how: 'fail', renameDown: true } : undefined)
			const place = `permutation ${at} of SEED=${seed}: ${answer.said}`
			expect(answer.report, place).toMatchObject({
				outcome: 'Succeeded',
				message: wish.length > 0 ? `Configured ${wish.length}/${wish.length}` : expect.any(String),
			})
			expect(oursOf(answer.kernel), place).toEqual(rightFor(wish))
			expect(bandOf(answer.kernel), place).toEqual(wish.flatMap(({ id }) => [`rule ${10_000 + id}`, `table ${100 + id}`]).toSorted())
			theirs ??= foreignOf(answer.kernel)
			expect(foreignOf(answer.kernel), place).toEqual(theirs)
		}
		await session([], { mode: 'Cleanup' })
		expect.soft(await endOfWatch()).toEqual([])
		const { sent, ...streamed } = await endOfStream()
		expect(sent).toBeGreaterThan(0)
		expect.soft(streamed).toEqual({ received: sent, inOrder: true, retransmitted: 0 })
		await host.ip('link del marker')
		expect(await host.everything()).toEqual(before)
	})
})

function nicOf(macAddress: string, id: number): Partial<Interface> & { macAddress: string; id: number } {
	return {
		id,
		macAddress,
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		routes: [{ to: `10.9${id}.0.0/16`, via: `10.0.${id}.7` }],
		mtu: 1400 + id,
	}
}

type Seen = { name: unknown; mtu?: unknown; up?: boolean; addresses?: unknown; routes?: unknown; table?: unknown }

/** The expected state by MAC. A NIC that is not desired has its original name and no configuration. */
function rightFor(wish: readonly ReturnType<typeof nicOf>[]): Record<string, Seen> {
	const idle = macs.map((mac, n): [string, Seen] => [
		mac,
		{ name: `ens${n}`, mtu: 1500, up: false, addresses: [], routes: [], table: undefined },
	])
	const wanted = wish.map(({ macAddress, id, address, mtu }): [string, Seen] => [
		macAddress,
		{
			name: `multinic${id}`,
			mtu,
			up: true,
			addresses: [`${address}/24`],
			routes: [`10.0.${id}.0/24`, `10.9${id}.0.0/16 via 10.0.${id}.7`],
			table: String(100 + id),
		},
	])
	return Object.fromEntries([...idle, ...wanted])
}

function oursOf({ links, routes, rules }: Answered['kernel']): Record<string, Seen> {
	const nics = links.filter(({ address }) => macs.includes(String(address)))
	return Object.fromEntries(
		nics.map(({ address, ifname, mtu, flags, addr_info }) => {
			const addresses = addr_info as { family: string; local: string; prefixlen: number }[]
			const four = addresses.filter(({ family }) => family === 'inet')
			return [
				String(address),
				{
					name: ifname,
					mtu,
					up: (flags as string[]).includes('UP'),
					addresses: four.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
					routes: routes
						.filter(({ dev, table }) => dev === ifname && Number(table) >= 100)
						.map(({ dst, gateway }) => (gateway === undefined ? dst : `${dst} via ${gateway}`))
						.toSorted(),
					table: rules.find(({ src }) => src === four[0]?.local)?.table,
				},
			]
		}),
	)
}

/** The rule priorities and route tables of MultiNIC that are in use, for desired NICs or not. */
function bandOf({ routes, rules }: Answered['kernel']): string[] {
	const held = [
		...rules.map(({ priority }) => ({ words: 'rule', number: Number(priority) - 10_000 })),
		...routes.map(({ table }) => ({ words: 'table', number: Number(table) - 100 })),
	]
	const ours = held.filter(({ number }) => number >= 0 && number < 100)
	return [...new Set(ours.map(({ words, number }) => `${words} ${number + (words === 'rule' ? 10_000 : 100)}`))].toSorted()
}

function foreignOf({ links, routes, rules }: Answered['kernel']) {
	return {
		links: links.filter(({ ifname }) => foreign.includes(String(ifname))),
		routes: routes.filter(({ dev }) => foreign.includes(String(dev))),
		rules: rules.filter(({ priority }) => Number(priority) < 10_000 || Number(priority) >= 10_100),
	}
}

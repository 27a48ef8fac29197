import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import { type LookupLoss, lookupLosses } from '../../agent/plan/lookup-losses.ts'
import { lookupsOf } from '../../agent/plan/node-packets.ts'
import { ownPackets } from '../../agent/plan/own-packets.ts'
import { DEFAULT_BASES } from '../../contract/bases.ts'
import { type Interface, settle } from '../../contract/interface.ts'
import type { Answered } from './agent-session.ts'
import { anyNode, anyNodeWish, anyPodNetworks, linesOf, MACS, type Node } from './any-node.ts'
import { kernelWays, observedRouting } from './kernel-routing.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** Any desired config on any node, on the real kernel. `KERNEL_NODES` sets the number of nodes, and `SEED` selects them. */
const isRoot = process.getuid?.() === 0
const NODES = Number(process.env.KERNEL_NODES ?? 50)
const SEED = Number(process.env.SEED ?? 13)
/**
 * The number of nodes that run concurrently is enough to keep two cores busy. Each test handles a batch of nodes, so that a run with
 * thousands of nodes shows its progress.
 */
const BESIDE = 4
const BATCH = 100

/** The input of a run. */
type Asked = { wish: Interface[]; podNetworks: string[] }

describe.skipIf(!isRoot)('any desired config on any node (needs root for network namespaces)', () => {
	const cases = fc.sample(fc.tuple(anyNode, anyNodeWish, anyPodNetworks), { numRuns: NODES, seed: SEED })
	const batches = Array.from({ length: Math.ceil(NODES / BATCH) }, (_, at) => [at * BATCH, Math.min(NODES, (at + 1) * BATCH)] as const)

	test.each(batches)(
		`nodes %i to %i of SEED=${SEED}: no path of the node is lost, packets of Configured interfaces leave through their links, a removal restores the node`,
		async (from, to) => {
			const worker = async (first: number) => {
				for (let at = from + first; at < to; at += BESIDE) {
					const [node, wish, podNetworks] = cases[at] ?? [{ links: [], routes: [], rules: [] }, [], []]
					await holds(node, { wish, podNetworks }, `node ${at} of SEED=${SEED}: ${JSON.stringify({ node, wish, podNetworks })}`)
				}
			}
			await Promise.all(Array.from({ length: BESIDE }, (_, first) => worker(first)))
		},
	)
})

async function holds(node: Node, { wish, podNetworks }: Asked, place: string): Promise<void> {
	const host = await nodeHost()
	try {
		await host.inside('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
		await host.ip(linesOf(node).join('\n'))
		const before = await host.everything()
		const start = await observedRouting(host)
		const touched = new Set(start.links.flatMap(({ ifindex, mac }) => (MACS.includes(mac) ? [ifindex] : [])))
		const { lookups } = lookupsOf(start as HostState, {
			touched,
			networks: [],
			given: wish.flatMap(({ address = [] }) => address),
			paths: [],
			pods: [],
			bases: [DEFAULT_BASES],
		})
		const waysBefore = await kernelWays(host, lookups)
		const session = host.session()
		const answer = await session(wish, { nodeAddresses: ['192.168.9.2'], podNetworks })
		const losses = lookupLosses(
			lookups,
			{ before: waysBefore, after: await kernelWays(host, lookups) },
			{ touched, needed: [], host: await observedRouting(host) },
		)
		expect(wordsOf(losses), `${place}\n${answer.said}`).toEqual([])
		expect(await wrongWays(host, { wish, podNetworks }, answer), `${place}\n${answer.said}`).toEqual([])
		const removal = await session([], { mode: 'Cleanup' })
		expect(removal.report, `${place}\n${removal.said}`).toMatchObject({ outcome: 'Succeeded' })
		expect(withoutLifetimes(await host.everything()), place).toEqual(withoutLifetimes(before))
	} finally {
		host.close()
	}
}

function wordsOf(losses: readonly LookupLoss[]): string[] {
	return losses.map(({ words }) => words)
}

/** @returns packets from the addresses of Configured interfaces that leave through another link */
async function wrongWays(host: NodeHost, { wish, podNetworks }: Asked, { report }: Answered): Promise<string[]> {
	const state = (await observedRouting(host)) as HostState
	const configured = new Set(report.interfaces.flatMap(({ id, state: is }) => (is === 'Configured' ? [id] : [])))
	const wanted = settle(wish, { podNetworks }).flatMap(nic => {
		const link = state.links.find(({ mac }) => mac === nic.macAddress)
		return link && configured.has(nic.id) ? [{ nic, link }] : []
	})
	const packets = ownPackets(wanted, state)
	const ways = packets.length > 0 ? await kernelWays(host, packets) : []
	return packets.flatMap(({ from, to, link, local }, at) => {
		const way = ways[at]
		const isRight = way && 'links' in way && (local ? way.local === true : String(way.links) === String([link]))
		return isRight ? [] : [`from ${from} to ${to}: ${JSON.stringify(way)}`]
	})
}

/** Ignores lifetimes, which decrease during the test. */
function withoutLifetimes(everything: unknown): unknown {
	return JSON.parse(JSON.stringify(everything).replace(/"(valid_life_time|preferred_life_time|expires)":\d+/g, '"$1":0')) as unknown
}

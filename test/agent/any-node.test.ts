import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import { isOwnWay } from '../../agent/plan/routed-elsewhere.ts'
import { fibOf, lookup } from '../../agent/plan/fib.ts'
import { touchedBy } from '../../agent/plan/fingerprint.ts'
import { answerOf, lookupLosses } from '../../agent/plan/lookup-losses.ts'
import { lookupsOf } from '../../agent/plan/node-packets.ts'
import { ownPackets } from '../../agent/plan/own-packets.ts'
import { plan } from '../../agent/plan/plan.ts'
import { subjectOf } from '../../agent/plan/lookup-subject.ts'
import { StoredStep } from '../../agent/rollback/stored-step.ts'
import { type Interface, settle } from '../../contract/interface.ts'
import { anyNode, anyNodeWish, anyPodNetworks, type Node, stateOf, withKernel } from './any-node.ts'
import { afterEvery, comparable } from './simulated-host.ts'

/** Any desired config on any node, on the model of a host. `NODES` sets the number of nodes. */
const NODES = Number(process.env.NODES ?? 2_000)
const options = { numRuns: NODES }
const paths = ['10.96.0.1', '192.168.9.53']

const wantedOf = (interfaces: Interface[], podNetworks: string[]) => ({
	interfaces: settle(interfaces, { podNetworks }),
	nodeAddresses: ['192.168.9.2'],
	kinds: new Set(['hardware']),
	failed: new Map(),
	needed: paths,
})

function carriedOut(node: Node, wish: Interface[], podNetworks: string[]) {
	const start = stateOf(node)
	const wanted = wantedOf(wish, podNetworks)
	const made = plan(wanted, start, {})
	return { start, wanted, made, end: withKernel(afterEvery(start, made.steps, false)) }
}

const answersOf = (host: HostState, packets: readonly Parameters<typeof lookup>[1][]) => {
	const fib = fibOf(host)
	return packets.map(packet => answerOf(lookup(fib, packet)))
}

test('a plan reroutes no packet of the node, and packets from every configured address leave through the link of their interface', () => {
	fc.assert(
		fc.property(anyNode, anyNodeWish, anyPodNetworks, (node, wish, podNetworks) => {
			const { start, made, end } = carriedOut(node, wish, podNetworks)
			const touched = touchedBy(made)
			const { lookups } = lookupsOf(start, subjectOf(made, paths))
			const losses = lookupLosses(
				lookups,
				{ before: answersOf(start, lookups), after: answersOf(end, lookups) },
				{ touched, needed: paths, host: end },
			)
			expect(losses.map(({ words }) => words)).toEqual([])
			const fib = fibOf(end)
			for (const packet of ownPackets(made.accepted, end)) {
				const way = lookup(fib, packet)
				expect(isOwnWay(way, packet), `from ${packet.from} to ${packet.to}: ${JSON.stringify(way)}`).toBe(true)
			}
		}),
		options,
	)
})

test('after a plan is applied, a new plan has no steps and refuses the same interfaces', () => {
	fc.assert(
		fc.property(anyNode, anyNodeWish, anyPodNetworks, (node, wish, podNetworks) => {
			const { wanted, made, end } = carriedOut(node, wish, podNetworks)
			const again = plan(wanted, end, {})
			expect(again.refused.map(({ nic }) => nic.id).toSorted()).toEqual(made.refused.map(({ nic }) => nic.id).toSorted())
			expect(again.steps).toEqual([])
		}),
		options,
	)
})

test('the undo restores the node after any number of steps', () => {
	fc.assert(
		fc.property(anyNode, anyNodeWish, anyPodNetworks, fc.nat(), (node, wish, podNetworks, cut) => {
			const { start, made } = carriedOut(node, wish, podNetworks)
			const some = afterEvery(start, made.steps.slice(0, cut % (made.steps.length + 1)), false)
			expect(comparable(withKernel(afterEvery(some, made.undo, true)))).toEqual(comparable(start))
			expect(made.undo.filter(step => !StoredStep.safeParse(JSON.parse(JSON.stringify(step))).success)).toEqual([])
		}),
		options,
	)
})

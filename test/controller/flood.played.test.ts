import { describe, expect, test } from 'vitest'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { Job } from '../../runtime/kube/kinds.ts'
import { namespace, soon, specOf, startWorld } from './survival.ts'

/** Creates many node configs while an existing one changes, whose name sorts last. */
const names = (letter: string, count: number) => Array.from({ length: count }, (_, at) => `${letter}${String(at).padStart(4, '0')}`)
const settled = names('y', 9)
const changed = 'z'

describe('a flood of new node configs', () => {
	test('with nodes: the existing node config precedes the new ones, so its change waits only for the runs in progress', async () => {
		const fresh = names('a', 200)
		const { world, runs, requests } = await startFlood(fresh, fresh)
		const wave = Math.floor((fresh.length + settled.length + 1) / 10)
		expect(runs).toBeLessThanOrEqual(wave)
		expect(requests).toBeLessThan(1_000)
		await soon(() => expect(fresh.every(name => world.status(name)?.state === 'Configured')).toBe(true))
		expect(world.broken).toEqual([])
	})

	test('without nodes: the new node configs do not precede the change in the queue', async () => {
		const { requests } = await startFlood(names('a', 2_000), [])
		expect(requests).toBeLessThan(100)
	})
})

/** @returns the number of runs started on other nodes, and the number of requests, between the flood and the run of the change */
async function startFlood(flood: readonly string[], nodes: readonly string[]) {
	const world = await startWorld([...settled, changed, ...nodes], {}, { runMs: () => 50 })
	for (const name of [...settled, changed]) world.add(name)
	world.startController()
	await soon(() => expect(world.status(changed)?.state).toBe('Configured'))
	await soon(() => expect(settled.every(name => world.status(name)?.state === 'Configured')).toBe(true))
	const jobs: string[] = []
	let [requests, before] = [0, { runs: 0, requests: 0 }]
	const isFound = new Promise<void>(found => {
		world.mistreat(({ verb, plural, body }) => {
			requests++
			if (verb !== 'create' || plural !== Job.plural) return undefined
			const name = (body as Job).spec?.template.spec?.nodeName ?? ''
			if (name === changed) before = { runs: jobs.length, requests }
			if (name === changed) found()
			jobs.push(name)
			return undefined
		})
	})
	for (const name of flood) world.add(name)
	world.objects.patch(NodeConfig, { namespace, name: changed }, { spec: specOf(changed, 1_400) })
	await isFound
	return { world, ...before }
}

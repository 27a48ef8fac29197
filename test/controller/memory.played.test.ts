import { expect, test } from 'vitest'
import { ANNOTATION_RETRY } from '../../contract/names.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { Pod } from '../../runtime/kube/kinds.ts'
import { soon, startWorld } from './survival.ts'

test('reads node configs in pages of 20 when they cannot be read in one response', async () => {
	const nodes = Array.from({ length: 45 }, (_, at) => `n${at}`)
	const world = await startWorld(nodes, { maxUnavailable: '100%' })
	const lists: (string | null)[] = []
	world.mistreat(({ verb, plural, query }) => {
		if (verb !== 'list' || plural !== NodeConfig.plural) return undefined
		lists.push(query.get('limit'))
		return lists.length === 1 ? { fault: 'reset', when: 'before' } : undefined
	})
	for (const name of nodes) world.add(name)
	world.startController()
	await soon(() => expect(nodes.map(name => world.status(name)?.state)).toEqual(nodes.map(() => 'Configured')))
	expect(lists).toEqual([null, '20', '20', '20'])
})

test('a request of 250 kB is answered by one run and removed', async () => {
	const world = await startWorld(['a'])
	world.add('a', undefined, { annotations: { [ANNOTATION_RETRY]: 'x'.repeat(250_000), note: 'kept' } })
	world.startController()
	await soon(() => expect(world.status('a')?.state).toBe('Configured'))
	await soon(() => expect(world.configOf('a')?.metadata.annotations).toEqual({ note: 'kept' }))
	expect(world.ran.length).toBe(1)
	expect(world.broken).toEqual([])
})

test('requests only pods with the ServiceAccount of runs, which a kubelet cannot use for its own pods', async () => {
	const world = await startWorld(['a'])
	world.add('a')
	const asked: string[] = []
	world.mistreat(({ plural, query }) => {
		if (plural === Pod.plural) asked.push(query.get('fieldSelector') ?? '')
		return undefined
	})
	world.startController()
	await soon(() => expect(world.status('a')?.state).toBe('Configured'))
	expect(new Set(asked)).toEqual(new Set(['spec.serviceAccountName=multinic-run']))
})

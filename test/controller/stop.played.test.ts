import { expect, test } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { reportFor } from '../../lab/cluster/fake-kubelet.ts'
import { namespace, soon, specOf, startWorld } from './survival.ts'

/** The stop of a rollout is recorded, because the node's next run replaces the status from which another controller could derive it. */
test('a node that stops the rollout still stops it after a restart of the controller, while its next run is in progress', async () => {
	const next = Promise.withResolvers<number>()
	const isNext = ({ nodeName, generation }: RunConfig) => nodeName === 'a' && generation > 1
	const world = await startWorld(
		['a', 'b'],
		{ maxUnavailable: '100%' },
		{
			runMs: input => (isNext(input) ? next.promise : 0),
			report: input => (input.nodeName === 'b' || isNext(input) ? reportFor(input) : rolledBack(input)),
		},
	)
	const ready = (name: string) => world.status(name)?.conditions?.find(({ type }) => type === 'Ready')
	world.add('a')
	world.startController()
	await soon(() => expect(ready('a')).toMatchObject({ reason: 'ConnectivityLost' }))
	world.objects.patch(NodeConfig, { namespace, name: 'a' }, { spec: specOf('a', 1_400) })
	await soon(() => expect(world.ran.some(isNext)).toBe(true))
	await soon(() => expect(ready('a')).toMatchObject({ reason: 'RunStarted' }))
	world.restartController()
	world.add('b')
	await soon(() =>
		expect(ready('b')).toMatchObject({ reason: 'Waiting', message: expect.stringContaining('stopped by a (ConnectivityLost)') }),
	)
	expect(world.ran.filter(({ nodeName }) => nodeName === 'b')).toEqual([])
	next.resolve(0)
	await soon(() => expect(['a', 'b'].map(name => world.status(name)?.state)).toEqual(['Configured', 'Configured']))
	expect(world.broken).toEqual([])
})

function rolledBack(input: RunConfig) {
	const { interfaces, ...report } = reportFor(input, { outcome: 'RolledBack', reason: 'ConnectivityLost', message: 'api is lost' })
	return { ...report, interfaces: interfaces.map(nic => ({ ...nic, state: 'Failed' as const, reason: 'ConnectivityLost' as const })) }
}

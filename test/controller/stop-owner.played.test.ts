import { expect, test } from 'vitest'
import { ROLLOUT_CONFIG_MAP, ROLLOUT_STOP } from '../../contract/rollout.ts'
import { ConfigMap } from '../../runtime/kube/kinds.ts'
import { namespace, soon, startWorld } from './survival.ts'

test.each([
	['the ConfigMap of the chart', true],
	['no object if the chart has no ConfigMap, because an unknown owner would have it deleted', false],
])('the record of what stops the rollout is owned by %s', async (_, exists) => {
	const world = await startWorld(['a'], {}, { runMs: () => 50 })
	const { objects } = world
	const uid = objects.get(ConfigMap, { namespace, name: ROLLOUT_CONFIG_MAP })?.metadata.uid
	if (!exists) objects.delete(ConfigMap, { namespace, name: ROLLOUT_CONFIG_MAP })
	world.add('a')
	world.startController()
	await soon(() => expect(world.status('a')?.state).toBe('Configured'))
	const record = () => objects.get(ConfigMap, { namespace, name: ROLLOUT_STOP })
	await soon(() => expect(record()).toBeDefined())
	expect((record()?.metadata.ownerReferences ?? []).map(owner => owner.uid)).toEqual(exists ? [uid] : [])
})

import { expect, onTestFinished, test } from 'vitest'
import { eventOf } from '../../../controller/act/events.ts'
import { createRecorder } from '../../../controller/act/event-recorder.ts'
import { KubeClient } from '../../../runtime/kube/client.ts'
import type { KubeObject } from '../../../runtime/kube/kind.ts'
import { Event, Namespace } from '../../../runtime/kube/kinds.ts'
import { createLog } from '../../../runtime/log.ts'
import { startFakeApiServer } from '../../runtime/fake-api-server/server.ts'
import { now, world } from '../world.ts'

/** Events have lower priority than other requests, but all are written eventually. */

const { config } = world()
const { namespace } = config
const event = (eventKey: string) =>
	eventOf(config, { type: 'Normal', reason: 'RunStarted', message: eventKey, eventKey }, { now, secret: 's' })

async function start() {
	const server = await startFakeApiServer()
	server.objects.create<KubeObject>(Namespace, { metadata: { name: namespace } })
	const client = new KubeClient(server.credentials, { fieldManager: 'test' })
	onTestFinished(async () => {
		await client.close()
		await server.stop()
	})
	const busy = { is: true }
	const rests: (() => void)[] = []
	const rest = (_: number, signal: AbortSignal) =>
		new Promise<void>(resolve => {
			if (signal.aborted) return resolve()
			rests.push(resolve)
			signal.addEventListener('abort', () => resolve(), { once: true })
		})
	const recorder = createRecorder({ client, log: createLog('test', { level: 'silent' }), isBusy: () => busy.is, rest })
	for (const moment of ['a', 'b', 'c']) recorder.record(event(moment))
	const told = () => server.objects.list(Event, namespace).map(({ message }) => message)
	return { recorder, busy, rests, told }
}

test('while keys are queued, one Event is written per pause; the others follow when the queue is empty', async () => {
	const { rests, told, busy } = await start()
	expect(told()).toEqual([])
	rests.shift()?.()
	await expect.poll(() => rests).toHaveLength(1)
	expect(told()).toHaveLength(1)
	busy.is = false
	rests.shift()?.()
	await expect.poll(told).toHaveLength(3)
	expect(rests).toEqual([])
})

test('drain writes all queued Events without a pause', async () => {
	const { recorder, told } = await start()
	await recorder.drain(1_000)
	expect(told()).toHaveLength(3)
})

test('drain drops the remaining Events after its timeout', async () => {
	const { recorder, rests, told } = await start()
	const drained = recorder.drain(1_000)
	rests.at(-1)?.()
	await drained
	recorder.record(event('d'))
	await expect.poll(told).toContain('d')
	expect(told()).not.toContain('c')
})

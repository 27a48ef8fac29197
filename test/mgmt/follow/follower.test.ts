import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGrantedClient } from '../../../mgmt/disclosure/client.ts'
import { createSecret, grantOf } from '../../../mgmt/disclosure/decide.ts'
import { createFollower, type Follower, type Target } from '../../../mgmt/follow/follower.ts'
import { createHttpClients, type HttpClients } from '../../../mgmt/http-clients.ts'
import type { Inventory, NodeRecord } from '../../../mgmt/inventory/inventory.ts'
import { openInventory } from '../../../mgmt/inventory/open.ts'
import { chosenEndpoint } from '../../../mgmt/model/origin.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { createLog } from '../../../runtime/log.ts'
import { type EventServer, type Request, startEventServer } from './event-server.ts'

let server: EventServer
let inventory: Inventory
let http: HttpClients
let follower: Follower
let refused: string[]
const log = createLog('mgmt', { level: 'silent' })
const pace = { interval: 20 }

beforeEach(async () => {
	server = await startEventServer()
	inventory = openInventory({ use: 'sqlite', sqlite: { path: ':memory:' } }, { log })
	await inventory.opened
	inventory.lead()
	http = createHttpClients(log)
	refused = []
	follower = createFollower({
		...{ inventory, log, clock: systemClock, chance: () => 0, onRefused: key => refused.push(key) },
		during: (target, signal, work) => http.during(signal, clients => work(createGrantedClient(clients.for(target.remote), target.grant))),
	})
})
afterEach(async () => {
	await follower.close()
	await http.close()
	await inventory.close()
	await server.stop()
})

function target(token = 'a-token', providerId = 'biz'): Target {
	const endpoint = chosenEndpoint([], ['VIOLA_ENDPOINT', server.url]) ?? expect.unreachable()
	const grant = grantOf(createSecret('viola token', endpoint, token), endpoint, [])
	return { providerId, grant, remote: { endpoint, insecure: false, timeoutMs: 5_000 } }
}

const interfaces = (nodeName: string) => [{ id: 3, portId: `port-of-${nodeName}`, macAddress: 'fa:16:3e:00:00:01' }]
const view = (nodeName: string) => ({
	...{ nodeName, providerId: 'biz', interfaces: interfaces(nodeName), lastManager: 'multinic-viola' },
	...{ deleting: false, generation: 1, resourceVersion: '1' },
})
/** Sends these node configs and `synced`. */
function sendAll(stream: Request, nodeNames: string[], id = '9') {
	for (const nodeName of nodeNames) stream.send('node-config', view(nodeName))
	stream.send('synced', {}, id)
}
const stored = async (state?: NodeRecord['state']) =>
	(await inventory.nodes('*', { ...(state && { state }) }, { limit: 100 })).items.map(({ nodeName }) => nodeName)
const untilStored = (...nodeNames: string[]) => expect.poll(() => stored(), pace).toEqual(nodeNames)

test('what the stream sends is stored: node configs, their changes and their deletion', async () => {
	follower.follow('ns/a', target())
	const stream = await server.next()
	expect(stream.headers).toMatchObject({
		...{ accept: 'text/event-stream', authorization: 'Bearer a-token', 'x-provider-id': 'biz' },
	})
	sendAll(stream, ['worker-1', 'worker-2'])
	await untilStored('worker-1', 'worker-2')
	expect(await inventory.idsOf({ providerId: 'biz', nodeName: 'worker-1' })).toEqual(new Map([['port-of-worker-1', 3]]))
	stream.send('node-config', view('worker-3'), '10')
	stream.send('deleted', { nodeName: 'worker-1' }, '11')
	await untilStored('worker-2', 'worker-3')
	const { items } = await inventory.history({ providerId: 'biz', nodeName: 'worker-1' }, { limit: 1 })
	expect(items).toMatchObject([{ kind: 'NodeRemoved', actor: { kind: 'manager', name: 'unknown' } }])
})

test('a node config that mgmt has deleted is removed by its OpenstackConfig', async () => {
	follower.follow('ns/a', target())
	const stream = await server.next()
	sendAll(stream, ['worker-1'])
	await untilStored('worker-1')
	follower.withdrew('biz', ['worker-1'], { kind: 'OpenstackConfig', name: 'ns/a' })
	stream.send('deleted', { nodeName: 'worker-1' }, '10')
	await untilStored()
	const { items } = await inventory.history({ providerId: 'biz', nodeName: 'worker-1' }, { limit: 1 })
	expect(items).toMatchObject([{ kind: 'NodeRemoved', actor: { kind: 'OpenstackConfig', name: 'ns/a' } }])
})

test('a stream that is cut continues after the last event', async () => {
	follower.follow('ns/a', target())
	const first = await server.next()
	sendAll(first, ['worker-1'])
	first.send('node-config', view('worker-2'), '12')
	await untilStored('worker-1', 'worker-2')
	first.cut()
	const second = await server.next()
	expect(second.headers['last-event-id']).toBe('12')
	second.send('deleted', { nodeName: 'worker-1' }, '13')
	await untilStored('worker-2')
})

test('a stream that is cut before everything was sent begins again', async () => {
	follower.follow('ns/a', target())
	const first = await server.next()
	first.send('node-config', view('worker-1'), '5')
	await untilStored('worker-1')
	first.cut()
	const second = await server.next()
	expect(second.headers).not.toHaveProperty('last-event-id')
	sendAll(second, ['worker-2'])
	await untilStored('worker-2')
})

test('after a reset, what is not sent again is removed, but only when everything was sent', async () => {
	follower.follow('ns/a', target())
	const first = await server.next()
	sendAll(first, ['worker-1', 'worker-2'])
	await untilStored('worker-1', 'worker-2')
	first.end()
	const second = await server.next()
	second.send('reset', {})
	second.send('node-config', view('worker-3'))
	await untilStored('worker-1', 'worker-2', 'worker-3')
	sendAll(second, ['worker-2'])
	await untilStored('worker-2', 'worker-3')
})

test('what was deleted while mgmt did not run is removed', async () => {
	await inventory.record([
		{ kind: 'reported', at: Date.now() - 60_000, providerId: 'biz', view: view('gone') },
		{ kind: 'reported', at: Date.now() - 60_000, providerId: 'other', view: view('elsewhere') },
	])
	follower.follow('ns/a', target())
	sendAll(await server.next(), ['worker-1'])
	await untilStored('worker-1', 'elsewhere')
	expect(await stored('Removed')).toEqual(['gone'])
})

test('a node that was sent after the stream began is not removed, although the stream has not sent it yet', async () => {
	follower.follow('ns/a', target())
	const stream = await server.next()
	const actor = { kind: 'OpenstackConfig', name: 'ns/a' } as const
	inventory.learn([{ kind: 'sent', at: Date.now() + 1, actor, providerId: 'biz', nodeName: 'new', interfaces: interfaces('new') }])
	sendAll(stream, ['worker-1'])
	await untilStored('new', 'worker-1')
	stream.send('node-config', view('worker-2'), '10')
	await untilStored('new', 'worker-1', 'worker-2')
})

test('a node config that cannot be parsed is ignored, and the others are stored', async () => {
	follower.follow('ns/a', target())
	const stream = await server.next()
	stream.send('node-config', { nodeName: 'worker-1', interfaces: 'none' })
	sendAll(stream, ['worker-2'])
	await untilStored('worker-2')
})

test('without a stream, the node configs are listed', async () => {
	await inventory.record([{ kind: 'reported', at: Date.now() - 60_000, providerId: 'biz', view: view('gone') }])
	follower.follow('ns/a', target())
	;(await server.next()).answer(200, { items: [] })
	;(await server.next()).answer(200, { items: [view('worker-1')] })
	await untilStored('worker-1')
})

test('two OpenstackConfigs with one endpoint, token and provider share a stream; it ends when both have left', async () => {
	follower.follow('ns/a', target())
	follower.follow('ns/b', target())
	const stream = await server.next()
	sendAll(stream, ['worker-1'])
	await untilStored('worker-1')
	follower.leave('ns/a')
	stream.send('node-config', view('worker-2'), '10')
	await untilStored('worker-1', 'worker-2')
	follower.leave('ns/b')
	await stream.closed
})

test('another provider or another token has a separate stream, and a rotated token replaces the old one', async () => {
	follower.follow('ns/a', target())
	follower.follow('ns/b', target('a-token', 'other'))
	const streams = [await server.next(), await server.next()]
	expect(streams.map(({ headers }) => headers['x-provider-id'])).toEqual(['biz', 'other'])
	for (const stream of streams) sendAll(stream, [])
	follower.follow('ns/a', target('a-new-token'))
	await streams[0]?.closed
	expect((await server.next()).headers).toMatchObject({ authorization: 'Bearer a-new-token', 'x-provider-id': 'biz' })
})

test('the OpenstackConfigs of a token that viola rejects are reported once, so that they read the token again', async () => {
	follower.follow('ns/a', target())
	follower.follow('ns/b', target())
	;(await server.next()).answer(401, { error: { code: 'UNAUTHORIZED', message: 'no' } })
	;(await server.next()).answer(401, { error: { code: 'UNAUTHORIZED', message: 'no' } })
	await server.next()
	expect(refused).toEqual(['ns/a', 'ns/b'])
})

test('the stream of a deleted OpenstackConfig continues until its node configs are deleted', async () => {
	follower.follow('ns/a', target())
	const stream = await server.next()
	sendAll(stream, ['worker-1'])
	await untilStored('worker-1')
	follower.withdrew('biz', ['worker-1'], { kind: 'OpenstackConfig', name: 'ns/a' })
	follower.finish('ns/a')
	stream.send('deleted', { nodeName: 'worker-1' }, '10')
	await untilStored()
	await stream.closed
})

test('the stream of a deleted OpenstackConfig without node configs ends at once', async () => {
	follower.follow('ns/a', target())
	const stream = await server.next()
	follower.finish('ns/a')
	await stream.closed
})

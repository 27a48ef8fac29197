import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { ConfigMap } from '../../../runtime/kube/kinds.ts'
import { startReflector } from '../../../runtime/kube/reflector.ts'
import { createLog } from '../../../runtime/log.ts'
import { json, line, list, saysNothing, startFaultServer, watch } from '../fault-server.ts'

test('the store is confirmed by a list, an opened watch, an event and a bookmark, and by nothing else', async () => {
	const server = await startFaultServer()
	const opened = Promise.withResolvers<ServerResponse>()
	server.script(list('5', ['a@1']), watch([], opened.resolve), json(503, {}), json(503, {}), watch([], saysNothing))
	const client = new KubeClient(server.credentials, { fieldManager: 'test' })
	const end = new AbortController()
	const { heardMs, observeWrite, done } = startReflector<ConfigMap, string>({
		...{ client, kind: ConfigMap, log: createLog('test', { level: 'silent' }), signal: end.signal, listMode: 'paged' },
		...{ project: ({ metadata }) => metadata.name, backoff: { firstMs: 20, maxMs: 20 } },
	})
	onTestFinished(async () => {
		end.abort()
		await done
		await client.close()
	})
	expect(heardMs()).toBeUndefined()
	const response = await opened.promise
	await expect.poll(heardMs).toBeDefined()
	const next = async () => {
		const before = heardMs() ?? Number.NaN
		await expect.poll(heardMs).toBeGreaterThan(before)
	}
	for (const event of ['BOOKMARK @6', 'ADDED b@7']) {
		// the opening of the watch may have been noted only now
		await expect.poll(() => server.requests.length).toBe(2)
		const heard = next()
		response.write(`${line(event)}\n`)
		await heard
	}
	const before = heardMs()
	observeWrite({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', uid: 'u', resourceVersion: '9', creationTimestamp: '' } })
	expect(heardMs()).toBe(before)
	response.destroy()
	await expect.poll(() => server.requests.length).toBeGreaterThanOrEqual(4)
	await next()
})

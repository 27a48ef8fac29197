import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../controller/config.ts'
import { createController } from '../../controller/controller.ts'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { createLog } from '../../runtime/log.ts'

/** Tests the controller as a process: log, endpoints, exit and leader election. */
const namespace = 'multinic-system'
const node = process.execPath
let api: ApiServer

beforeAll(async () => {
	api = await startApiServer()
	const kubectl = (...args: string[]) => execa(`${api.bin}/kubectl`, ['--kubeconfig', api.kubeconfig, ...args])
	await kubectl('create', 'namespace', namespace)
	await kubectl('apply', '-f', 'crds/multinic.io_multinicnodeconfigs.yaml')
	const client = new KubeClient(await loadCredentials({ kubeconfig: api.kubeconfig }, {}), { fieldManager: 'test' })
	await waitForCrds(client, [nodeConfigCrd]).finally(() => client.close())
})
afterAll(() => api?.stop())

test('the controller reports all missing settings and exits with 2', async () => {
	const { exitCode, stdout } = await execa(node, ['controller/main.ts'], { env: { KUBECONFIG: api.kubeconfig }, reject: false })
	expect(exitCode).toBe(2)
	expect(stdout).toContain('NAMESPACE is required and not set')
	expect(stdout).toContain('AGENT_IMAGE is required and not set')
})

test('one controller leads and one waits; SIGTERM makes the first exit with 0 and the second lead', async () => {
	const first = start()
	await first.says('leading')
	const second = start()
	const { address } = await second.says('listening')
	await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(200)
	first.process.kill('SIGTERM')
	expect(await once(first.process, 'exit')).toEqual([0, null])
	await second.says('leading')
	expect(await (await fetch(`${address}/metrics`)).text()).toMatch(/leader_election_master_status\{name="multinic-controller"\} 1/)
	expect(first.said.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([])
})

test('SIGTERM before the first lists complete makes the controller exit with 0', async () => {
	const { kubeconfig } = await unreachable()
	const waiting = start({ KUBECONFIG: kubeconfig, LEADER_ELECT: 'false' })
	await waiting.says('list or watch failed, retrying')
	waiting.process.kill('SIGTERM')
	expect(await once(waiting.process, 'exit')).toEqual([0, null])
})

test('a leader that loses the lease before the first lists complete does not wait for them', async () => {
	const { client } = await unreachable()
	const stop = new AbortController()
	const term = new AbortController()
	const config = readConfig({ NAMESPACE: namespace, AGENT_IMAGE: 'agent' })
	const log = createLog('controller', { level: 'silent' })
	const controller = createController({ client, config, log, signal: stop.signal })
	const run = controller.run(term.signal)
	term.abort()
	await run
	expect(controller.isSynced()).toBe(false)
	stop.abort()
	await controller.done
	await client.close()
})

/** Returns a kubeconfig and a client for an unreachable API server, whose port was free a moment ago. */
async function unreachable() {
	const server = createServer().listen(0, '127.0.0.1')
	await once(server, 'listening')
	const { port } = server.address() as AddressInfo
	server.close()
	const folder = mkdtempSync(join(tmpdir(), 'controller-'))
	onTestFinished(() => rmSync(folder, { recursive: true }))
	const kubeconfig = join(folder, 'kubeconfig')
	const at = `http://127.0.0.1:${port}`
	const contexts = [{ name: 'a', context: { cluster: 'a' } }]
	writeFileSync(kubeconfig, JSON.stringify({ 'current-context': 'a', clusters: [{ name: 'a', cluster: { server: at } }], contexts }))
	return { kubeconfig, client: new KubeClient(await loadCredentials({ kubeconfig }, {}), { fieldManager: 'test' }) }
}

function start(over: Record<string, string> = {}) {
	const env = { KUBECONFIG: api.kubeconfig, NAMESPACE: namespace, AGENT_IMAGE: 'agent', METRICS_ADDR: '127.0.0.1:0', ...over }
	const child = execa(node, ['controller/main.ts'], { env, reject: false, buffer: false })
	onTestFinished(() => void child.kill('SIGKILL'))
	const said: Record<string, unknown>[] = []
	const waiting = new Set<() => void>()
	createInterface({ input: child.stdout }).on('line', line => {
		said.push(JSON.parse(line) as Record<string, unknown>)
		for (const wake of waiting) wake()
	})
	const says = (msg: string) =>
		new Promise<Record<string, unknown>>(resolve => {
			const look = () => {
				const line = said.find(one => one.msg === msg)
				if (line) resolve(line)
			}
			waiting.add(look)
			look()
		})
	return { process: child, said, says }
}

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type ApiServer, startApiServer } from '../../lab/api-server.ts'

/** The controller as a process: what it says, what it serves, how it ends, who leads. */
const namespace = 'multinic-system'
const node = process.execPath
let api: ApiServer

beforeAll(async () => {
	api = await startApiServer()
	const kubectl = (...args: string[]) => execa(`${api.bin}/kubectl`, ['--kubeconfig', api.kubeconfig, ...args])
	await kubectl('create', 'namespace', namespace)
	await kubectl('apply', '-f', 'crds/multinic.io_multinicnodeconfigs.yaml')
	await kubectl('wait', '--for=condition=Established', '--timeout=30s', '-f', 'crds/multinic.io_multinicnodeconfigs.yaml')
})
afterAll(() => api?.stop())

test('without its configuration it says everything that is missing, and ends with 2', async () => {
	const { exitCode, stdout } = await execa(node, ['controller/main.ts'], { env: { KUBECONFIG: api.kubeconfig }, reject: false })
	expect(exitCode).toBe(2)
	expect(stdout).toContain('NAMESPACE is required and not set')
	expect(stdout).toContain('AGENT_IMAGE is required and not set')
})

test('one leads and one waits; SIGTERM to the first ends it with 0 and lets the second lead', async () => {
	const first = start()
	await first.says('leading')
	const second = start()
	const { address } = await second.says('listening')
	await expect.poll(async () => (await fetch(`${address}/readyz`)).status, { timeout: 30_000 }).toBe(200)
	first.process.kill('SIGTERM')
	expect(await once(first.process, 'exit')).toEqual([0, null])
	await second.says('leading')
	expect(await (await fetch(`${address}/metrics`)).text()).toMatch(/leader_election_master_status\{name="multinic-controller"\} 1/)
	expect(first.said.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([])
})

function start() {
	const env = { KUBECONFIG: api.kubeconfig, NAMESPACE: namespace, AGENT_IMAGE: 'agent', METRICS_ADDR: '127.0.0.1:0' }
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

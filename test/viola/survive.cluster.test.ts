import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { NODE_CONFIGS_PATH, type NodeConfigsResponse } from '../../contract/viola-api.ts'
import { makeRunDir } from '../../lab/base/run-dir.ts'
import { freePort } from '../../lab/base/free-port.ts'
import { type ControlPlane, controlPlaneBinaries, startControlPlane } from '../../lab/cluster/control-plane.ts'
import { findKit } from '../../lab/kit/kit.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import type { Credentials } from '../../runtime/kube/kubeconfig/credentials.ts'
import { createLog } from '../../runtime/log.ts'
import { type ClusterOptions, openCluster } from '../../viola/cluster/cluster.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { createViola } from '../../viola/routes/routes.ts'
import { putCrds } from '../mgmt/cluster.ts'
import { startFreezingProxy } from './freezing-proxy.ts'

/** What viola answers while its cluster, its connections or viola itself fails. */

const namespace = 'default'
const headers = { authorization: 'Bearer t', 'x-provider-id': 'biz', 'content-type': 'application/json' }
const log = createLog('viola', { level: 'silent' })
let plane: ControlPlane
let credentials: Credentials
let client: KubeClient
let removeDir: () => Promise<void>

beforeAll(async () => {
	const dir = await makeRunDir('api')
	removeDir = dir.remove
	const kit = await findKit([...controlPlaneBinaries])
	plane = await startControlPlane({ name: 'api', dir: join(dir.path, 'api'), kit, port: await freePort() })
	credentials = await loadCredentials({ kubeconfig: plane.kubeconfig }, {})
	client = new KubeClient(credentials, { fieldManager: 'test' })
})
afterAll(async () => {
	await client?.close()
	await plane?.stop()
	await removeDir?.()
})

function openViola(options: Partial<ClusterOptions> = {}) {
	const cluster = openCluster({ providerId: 'biz', namespace, credentials, log, ...options })
	const app = createViola({ token: () => 't', clusterOf: async () => cluster, log })
	onTestFinished(async () => {
		await app.close()
		await cluster.close()
	})
	return { app, cluster }
}

async function startViola(options: Partial<ClusterOptions> = {}) {
	await putCrds(client)
	const viola = openViola(options)
	await expect.poll(() => viola.cluster.isSynced()).toBe(true)
	return viola
}

const nodes = (prefix: string, count: number) =>
	Array.from({ length: count }, (_, n) => ({ nodeName: `${prefix}-${n}`, interfaces: [{ id: 0, macAddress: 'fa:16:3e:00:00:01' }] }))
const post = async (app: FastifyInstance, body: unknown) => {
	const response = await app.inject({ method: 'POST', url: NODE_CONFIGS_PATH, headers, payload: JSON.stringify(body) })
	return { status: response.statusCode, retryAfter: response.headers['retry-after'], body: response.json<NodeConfigsResponse>() }
}
const statuses = ({ results }: NodeConfigsResponse) => new Set(results.map(({ status }) => status))
const storedOf = async (prefix: string) =>
	(await client.list(NodeConfigKind, { namespace })).items.filter(({ metadata }) => metadata.name.startsWith(`${prefix}-`))

test('a cluster without the CRD is reported as that, and used as soon as it has the CRD', async () => {
	const { app, cluster } = openViola()
	await expect.poll(() => cluster.isOpening()).toBe(false)
	const answer = await post(app, nodes('early', 1))
	const message = expect.stringContaining('the API server answered the last list with 404') as string
	expect(answer).toMatchObject({ status: 503, body: { errors: [{ nodeName: 'early-0', code: 'ClusterNotSynced', message }] } })
	await putCrds(client)
	await expect.poll(() => cluster.isSynced()).toBe(true)
	expect((await post(app, nodes('early', 1))).status).toBe(200)
})

test('the cluster goes down within a batch: the rest is answered immediately, and applied when the cluster is back', async () => {
	const ups: boolean[] = []
	const killed = Promise.withResolvers<void>()
	let creates = 0
	const onCall: ClusterOptions['onCall'] = ({ verb }) => {
		if (verb === 'create' && ++creates === 100) plane.killServer().then(killed.resolve, killed.reject)
	}
	const { app, cluster } = await startViola({ onCall, onUp: isUp => void ups.push(isUp) })
	const answer = await post(app, nodes('down', 300))
	await killed.promise
	expect([answer.status, answer.retryAfter]).toEqual([503, '5'])
	expect(new Set(answer.body.errors.map(({ code }) => code))).toEqual(new Set(['ClusterUnreachable']))
	expect(answer.body.applied).toBeGreaterThanOrEqual(90)
	expect(ups).toEqual([true, false])
	// nothing is claimed about a cluster that is down, not even that a node is unchanged
	const again = await post(app, nodes('down', 300))
	expect(again.body).toMatchObject({
		applied: 0,
		errors: nodes('down', 300).map(({ nodeName }) => ({ nodeName, code: 'ClusterUnreachable' })),
	})
	const read = await app.inject({ url: NODE_CONFIGS_PATH, headers })
	expect([read.statusCode, read.headers.age]).toEqual([200, expect.stringMatching(/^\d+$/)])
	await plane.startServer()
	await expect.poll(() => cluster.unavailable()).toBeUndefined()
	// a slow machine may need several POSTs, as a client would send them
	await expect.poll(async () => (await post(app, nodes('down', 300))).status).toBe(200)
	expect(statuses((await post(app, nodes('down', 300))).body)).toEqual(new Set(['unchanged']))
	const stored = await storedOf('down')
	expect([stored.length, new Set(stored.map(({ metadata }) => metadata.generation))]).toEqual([300, new Set([1])])
})

test('a half-open watch does not hide for ever that a node config was deleted by hand', async () => {
	const proxy = await startFreezingProxy(Number(new URL(plane.server).port))
	const { app, cluster } = await startViola({
		credentials: { ...credentials, server: `https://127.0.0.1:${proxy.port}` },
		idleMs: 1_000,
	})
	const [one] = nodes('frozen', 1)
	expect((await post(app, [one])).body).toMatchObject({ results: [{ status: 'created' }] })
	proxy.freeze()
	await client.patch(NodeConfigKind, { namespace, name: 'frozen-0' }, { metadata: { finalizers: null } })
	await client.delete(NodeConfigKind, { namespace, name: 'frozen-0' })
	await expect.poll(async () => (await post(app, [one])).body.results.map(({ status }) => status)).toEqual(['created'])
	expect(await storedOf('frozen')).toHaveLength(1)
	expect(cluster.unavailable()).toBeUndefined()
})

test('viola is killed during a POST: the same POST completes it, and changes nothing that was done', async () => {
	const dir = await mkdtemp(join(tmpdir(), 'multinic-viola-'))
	onTestFinished(() => rm(dir, { recursive: true }))
	const clusters = join(dir, 'clusters.yaml')
	await putCrds(client)
	await writeFile(clusters, `biz: { kubeconfig: ${plane.kubeconfig}, namespace: ${namespace} }\n`)
	const body = JSON.stringify(nodes('killed', 500))
	const first = await startProcess(clusters)
	const cut = fetch(`${first.address}${NODE_CONFIGS_PATH}`, { method: 'POST', headers, body }).catch(() => 'cut' as const)
	await expect.poll(async () => (await storedOf('killed')).length, { interval: 20 }).toBeGreaterThan(50)
	first.child.kill('SIGKILL')
	expect(await cut).toBe('cut')
	const before = await storedOf('killed')
	expect(before.length).toBeLessThan(500)
	const second = await startProcess(clusters)
	const response = await fetch(`${second.address}${NODE_CONFIGS_PATH}`, { method: 'POST', headers, body })
	const { results } = (await response.json()) as NodeConfigsResponse
	expect([response.status, results.filter(({ status }) => status === 'unchanged').length]).toEqual([200, before.length])
	expect((await storedOf('killed')).map(({ metadata }) => metadata.generation)).toEqual(Array(500).fill(1))
})

/** Starts viola as a process, and waits until it has read its cluster. */
async function startProcess(clusters: string): Promise<{ child: ChildProcess; address: string }> {
	const env = { PATH: process.env.PATH ?? '', VIOLA_ADDR: '127.0.0.1:0', VIOLA_TOKEN: 't', VIOLA_CLUSTERS: clusters }
	const child = spawn(process.execPath, ['viola/main.ts'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
	onTestFinished(async () => {
		if (child.exitCode !== null || child.signalCode !== null) return
		child.kill('SIGKILL')
		await once(child, 'exit')
	})
	for await (const line of createInterface(child.stdout)) {
		const { address } = JSON.parse(line) as { address?: string }
		if (!address) continue
		child.stdout.resume()
		await expect.poll(async () => (await fetch(`${address}/readyz`)).status).toBe(200)
		return { child, address }
	}
	throw new Error('viola ended before it listened')
}

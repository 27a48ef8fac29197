import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { NODE_CONFIGS_PATH } from '../../contract/viola-api.ts'
import { requestToken } from '../../lab/cluster/account-token.ts'
import { Binding, ServiceAccount } from '../../lab/cluster/token-access.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { kubeconfig } from '../../lab/cluster/kubeconfig.ts'
import { listen } from '../../runtime/http-server.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { Namespace, Secret } from '../../runtime/kube/kinds.ts'
import { createLog } from '../../runtime/log.ts'
import { openCluster } from '../../viola/cluster/cluster.ts'
import { createClusters } from '../../viola/cluster/clusters.ts'
import { createViola } from '../../viola/routes/routes.ts'
import { createAuth } from '../../runtime/auth/auth.ts'
import { credentialsOf } from '../../viola/targets/credentials.ts'
import { route } from '../../viola/targets/routing.ts'
import { createTargets } from '../../viola/targets/targets.ts'
import { putCrds } from '../mgmt/cluster.ts'
import { type Certificate, createCertificate, type RenewingProxy, startRenewingProxy } from './renewing-proxy.ts'
import { base64 } from './targets/kubeconfig.ts'

/** The credentials and the certificate of a biz cluster are renewed while viola is in use. The biz cluster is a real API server. */

const namespace = 'multinic-system'

let folder: string
let api: ApiServer
let client: KubeClient
let proxy: RenewingProxy
let certificates: [old: Certificate, renewed: Certificate]

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'multinic-rotation-'))
	certificates = [createCertificate(folder, 'old'), createCertificate(folder, 'renewed')]
	api = await startApiServer()
	client = new KubeClient(await loadCredentials({ kubeconfig: api.kubeconfig }, {}), { fieldManager: 'test' })
	await putCrds(client)
	await client.apply(Namespace, { metadata: { name: namespace } })
	proxy = await startRenewingProxy(api, certificates[0])
})
afterAll(async () => {
	await proxy?.stop()
	await client?.close()
	await api?.stop()
	rmSync(folder, { recursive: true, force: true })
})

/** Creates an administrator. */
async function tokenOf(account: string): Promise<string> {
	await client.apply(ServiceAccount, { metadata: { name: account, namespace } })
	await client.apply(Binding, {
		metadata: { name: account },
		roleRef: { apiGroup: Binding.group, kind: 'ClusterRole', name: 'cluster-admin' },
		subjects: [{ kind: 'ServiceAccount', namespace, name: account }],
	})
	return requestToken(client, { namespace, account })
}

async function putTarget(token: string, ca: string): Promise<void> {
	const text = kubeconfig({ name: 'biz', server: proxy.server, ca, token })
	const metadata = { name: 'biz', namespace, labels: { 'multinic.io/provider-id': 'biz' } }
	await client.apply(Secret, { metadata, data: { value: base64(text) } })
}

async function startViola(): Promise<string> {
	const end = new AbortController()
	const log = createLog('viola', { level: 'silent' })
	const targets = createTargets({ secrets: { client, namespace }, log, signal: end.signal })
	const clusters = createClusters({
		open: async target => openCluster({ ...target, credentials: await credentialsOf(target, {}), log }),
		log,
	})
	targets.onChange(clusters.apply)
	const app = createViola({
		auth: createAuth({ token: () => 't' }),
		rate: { max: 1_000_000, timeWindow: 1_000 },
		clusterOf: async (id, use) => clusters.borrow(route(targets, id).providerId, use),
		log,
	})
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	onTestFinished(async () => {
		end.abort()
		await closed
		await clusters.close()
	})
	await expect.poll(async () => (await fetch(`${address}${NODE_CONFIGS_PATH}`, { headers })).status).toBe(200)
	return address
}

const headers = { authorization: 'Bearer t', 'x-provider-id': 'biz', 'content-type': 'application/json' }

/** Changes and reads node configs until it is stopped; each change is one request to the biz cluster. */
function startLoad(address: string) {
	const failed: string[] = []
	let count = 0
	let isStopped = false
	const send = async (nodeName: string, mtu: number) => {
		const interfaces = [{ id: 0, macAddress: 'fa:16:3e:37:c3:f1', mtu }]
		const post = await fetch(`${address}${NODE_CONFIGS_PATH}`, {
			method: 'POST',
			headers,
			body: JSON.stringify([{ nodeName, interfaces }]),
		})
		const text = await post.text()
		if (post.status !== 200) failed.push(`POST: ${post.status} ${text}`)
		const get = await fetch(`${address}${NODE_CONFIGS_PATH}/${nodeName}`, { headers })
		if (get.status !== 200) failed.push(`GET: ${get.status} ${await get.text()}`)
		else await get.text()
		count++
	}
	const loop = async (nodeName: string) => {
		for (let mtu = 1_000; !isStopped; mtu = mtu === 9_000 ? 1_000 : mtu + 1) await send(nodeName, mtu)
	}
	const loops = ['worker-1', 'worker-2', 'worker-3', 'worker-4'].map(loop)
	return {
		failed,
		/** Waits until this many further nodes were sent. */
		more: async (nodes: number) => {
			const until = count + nodes
			await expect.poll(() => count).toBeGreaterThan(until)
		},
		stop: async () => {
			isStopped = true
			await Promise.all(loops)
		},
	}
}

/** Waits until viola sends only this token to the biz cluster. */
async function onlyToken(token: string): Promise<void> {
	await expect
		.poll(
			() => {
				const seen = proxy.tokens()
				return seen.length > 0 && seen.every(one => one === `Bearer ${token}`)
			},
			{ interval: 200 },
		)
		.toBe(true)
}

test('a token is replaced and revoked, and the certificate of the cluster is renewed: no request fails', async () => {
	const [first, second] = [await tokenOf('first'), await tokenOf('second')]
	const [old, renewed] = certificates
	await putTarget(first, old.cert)
	const load = startLoad(await startViola())
	await load.more(20)

	await putTarget(second, old.cert)
	await onlyToken(second)
	await client.delete(ServiceAccount, { name: 'first', namespace })
	const withFirst = new KubeClient(
		{ ...(await loadCredentials({ kubeconfig: api.kubeconfig }, {})), headers: async () => ({ authorization: `Bearer ${first}` }) },
		{ fieldManager: 'test' },
	)
	onTestFinished(() => withFirst.close())
	await expect.poll(() => withFirst.list(Secret, { namespace }).catch(error => error.code)).toBe('UNAUTHORIZED')
	await load.more(20)

	const third = await tokenOf('third')
	await putTarget(third, old.cert + renewed.cert)
	await onlyToken(third)
	proxy.renew(renewed)
	await load.more(20)
	await putTarget(second, renewed.cert)
	await onlyToken(second)
	await load.more(20)

	await load.stop()
	expect(load.failed).toEqual([])
})

test('a cluster that is removed is unknown, and it is used again when it is added', async () => {
	await putTarget(await tokenOf('second'), certificates.map(({ cert }) => cert).join(''))
	const address = await startViola()
	const status = async () => (await fetch(`${address}${NODE_CONFIGS_PATH}`, { headers })).status
	await client.delete(Secret, { name: 'biz', namespace })
	await expect.poll(status).toBe(404)
	await putTarget(await tokenOf('second'), certificates.map(({ cert }) => cert).join(''))
	await expect.poll(status).toBe(200)
})

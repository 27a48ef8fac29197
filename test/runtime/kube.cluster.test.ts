import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { inClusterCredentials } from '../../runtime/kube/in-cluster.ts'
import { type ApiUnderTest, controllerManagerConformance, kubeConformance } from './kube-conformance.ts'

let server: ApiServer
let api: ApiUnderTest

beforeAll(async () => {
	server = await startApiServer()
	api = await signIn(server)
})
afterAll(async () => {
	await api?.client.close()
	await server?.stop()
})

kubeConformance(() => api)

describe('with a controller manager', () => {
	let managed: ApiServer
	let managedApi: ApiUnderTest
	beforeAll(async () => {
		managed = await startApiServer({ controllerManager: true })
		managedApi = await signIn(managed)
	})
	afterAll(async () => {
		await managedApi?.client.close()
		await managed?.stop()
	})
	controllerManagerConformance(() => managedApi)
})

test('KubeClient connects to the API server with the token and CA files of a pod', async () => {
	const folder = await mkdtemp(join(tmpdir(), 'multinic-test-'))
	onTestFinished(() => rm(folder, { recursive: true }))
	await writeFile(join(folder, 'token'), `${server.token}\n`)
	await writeFile(join(folder, 'ca.crt'), server.ca)
	await writeFile(join(folder, 'namespace'), 'multinic-system')
	const { hostname, port } = new URL(server.server)
	const credentials = await inClusterCredentials({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, folder)
	const client = new KubeClient(credentials, { fieldManager: 'test' })
	onTestFinished(() => client.close())
	expect(credentials.namespace).toBe('multinic-system')
	expect(await client.raw({ method: 'GET', path: '/version' })).toMatchObject({ major: '1' })
})

test('a server whose certificate is from another CA is not trusted', async () => {
	const { ca: _, ...tls } = api.credentials.tls
	const client = new KubeClient({ ...api.credentials, tls }, { fieldManager: 'test' })
	onTestFinished(() => client.close())
	await expect(client.raw({ method: 'GET', path: '/version' })).rejects.toMatchObject({ code: 'UNREACHABLE', retry: true })
})

async function signIn({ kubeconfig }: ApiServer): Promise<ApiUnderTest> {
	const credentials = await loadCredentials({ kubeconfig }, {})
	return { credentials, client: new KubeClient(credentials, { fieldManager: 'test' }) }
}

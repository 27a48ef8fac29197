import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { certificate } from '../../../bench/agent/certificate.ts'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { createConnections } from '../../../runtime/kube/connections.ts'
import { inClusterCredentials } from '../../../runtime/kube/in-cluster.ts'

const first = certificate(new Date(), 'first')
const second = certificate(new Date(), 'second')

/** Starts a server with a certificate of the first CA, and creates a directory like that mounted into a pod, with the trusted CA. */
async function cluster() {
	let connections = 0
	const server = createServer(first, (_, response) => void response.setHeader('content-type', 'application/json').end('{"ok":true}'))
	server.on('secureConnection', () => connections++)
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	const folder = await mkdtemp(join(tmpdir(), 'multinic-test-'))
	onTestFinished(async () => {
		server.closeAllConnections()
		server.close()
		await rm(folder, { recursive: true })
	})
	/** Replaces the file atomically, as the kubelet does. */
	const trust = async (ca: string) => {
		await writeFile(join(folder, 'next'), ca)
		await rename(join(folder, 'next'), join(folder, 'ca.crt'))
	}
	await Promise.all([trust(first.cert), writeFile(join(folder, 'token'), 't')])
	const port = String((server.address() as AddressInfo).port)
	const credentials = await inClusterCredentials({ KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: port }, folder)
	const client = new KubeClient(credentials, { fieldManager: 'test' })
	onTestFinished(() => client.close())
	const rotate = () => {
		server.setSecureContext(second)
		server.closeAllConnections()
	}
	return { client, credentials, trust, rotate, connections: () => connections, ask: () => client.raw({ method: 'GET', path: '/version' }) }
}

test('a server with a new CA is trusted only after the file contains that CA', async () => {
	const { ask, rotate, trust } = await cluster()
	expect(await ask()).toEqual({ ok: true })
	rotate()
	await expect(ask()).rejects.toMatchObject({ code: 'UNREACHABLE', retry: true })
	await trust(second.cert)
	expect(await Promise.all([ask(), ask(), ask()])).toEqual(Array(3).fill({ ok: true }))
})

test('a file with both CAs keeps calls working during the change', async () => {
	const { ask, rotate, trust } = await cluster()
	await trust(`${first.cert}${second.cert}`)
	expect(await ask()).toEqual({ ok: true })
	rotate()
	expect(await ask()).toEqual({ ok: true })
})

test('a write is sent only once if the first server that it reached was not trusted', async () => {
	const { client, rotate, trust } = await cluster()
	rotate()
	await trust(second.cert)
	expect(await client.raw({ method: 'POST', path: '/x', body: {} })).toEqual({ ok: true })
	expect(client.requests()).toEqual({ post: 2 })
})

test('a missing CA file is reported only when a new connection needs it', async () => {
	const { ask, rotate, credentials } = await cluster()
	const authorities = credentials.authorities
	credentials.authorities = () => Promise.reject(new Error('the mount is gone'))
	expect(await ask()).toEqual({ ok: true })
	rotate()
	await expect(ask()).rejects.toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('the mount is gone') })
	if (authorities) credentials.authorities = authorities
})

test('CAs are read again every minute; changed CAs open new connections, the same CAs keep the existing ones', async () => {
	let now = 0
	let read = 0
	let ca = first.cert
	const authorities = async () => {
		read++
		return ca
	}
	const credentials = { server: 'https://127.0.0.1:1', tls: { ca }, authorities, headers: async () => ({}) }
	const connections = createConnections(credentials, 1, () => now)
	onTestFinished(() => connections.destroy())
	const used = async (ms: number) => {
		now = ms
		return connections.retryOnUntrustedCert(async () => connections.agents())
	}
	const before = await used(0)
	ca = second.cert
	expect([await used(59_999), read]).toEqual([before, 0])
	const after = await used(60_000)
	expect([after === before, read]).toEqual([false, 1])
	expect([await used(119_999), await used(120_000), read]).toEqual([after, after, 2])
})

test('a changed client certificate is used for the next call, over a new connection', async () => {
	const names: string[] = []
	const server = createServer({ ...first, requestCert: true, rejectUnauthorized: false }, ({ socket }, response) => {
		names.push(String((socket as TLSSocket).getPeerCertificate().subject.CN))
		response.setHeader('content-type', 'application/json').end('{}')
	})
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	let own = certificate(new Date(), 'one')
	const { port } = server.address() as AddressInfo
	const credentials = {
		server: `https://127.0.0.1:${port}`,
		tls: { ca: first.cert, ...own },
		certificate: () => own,
		headers: async () => ({}),
	}
	const client = new KubeClient(credentials, { fieldManager: 'test' })
	onTestFinished(async () => {
		await client.close()
		server.close()
	})
	const ask = () => client.raw({ method: 'GET', path: '/version' })
	await ask()
	own = certificate(new Date(), 'two')
	await ask()
	await ask()
	expect(names).toEqual(['one', 'two', 'two'])
})

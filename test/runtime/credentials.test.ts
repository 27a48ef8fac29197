import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { bearerFromFile, inClusterCredentials } from '../../runtime/kube/in-cluster.ts'

let folder: string
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'multinic-test-'))
	return () => rm(folder, { recursive: true })
})

async function file(name: string, content: unknown): Promise<string> {
	const path = join(folder, name)
	await writeFile(path, typeof content === 'string' ? content : stringify(content))
	return path
}

function kubeconfig(user: object, cluster: object = {}): object {
	return {
		'current-context': 'main',
		contexts: [{ name: 'main', context: { cluster: 'c', user: 'u', namespace: 'ns' } }],
		clusters: [{ name: 'c', cluster: { server: 'https://k.example:6443/', ...cluster } }],
		users: [{ name: 'u', user }],
	}
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('a kubeconfig', () => {
	test.each<[title: string, user: object, headers: object, tls: object]>([
		['with a token', { token: 'abc' }, { authorization: 'Bearer abc' }, {}],
		['with a token file beside it', { tokenFile: 'token' }, { authorization: 'Bearer from-file' }, {}],
		['with a password', { username: 'a', password: 'b' }, { authorization: `Basic ${base64('a:b')}` }, {}],
		[
			'with a client certificate in it',
			{ 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') },
			{},
			{ cert: 'CERT', key: 'KEY' },
		],
		[
			'with a client certificate beside it',
			{ 'client-certificate': 'cert.pem', 'client-key': 'key.pem' },
			{},
			{ cert: 'CERT FILE', key: 'KEY FILE' },
		],
		['with nobody in it', {}, {}, {}],
	])('%s', async (_, user, headers, tls) => {
		await Promise.all([file('token', 'from-file\n'), file('cert.pem', 'CERT FILE'), file('key.pem', 'KEY FILE')])
		const credentials = await loadCredentials({ kubeconfig: await file('config', kubeconfig(user)) }, {})
		expect(credentials).toMatchObject({ server: 'https://k.example:6443', namespace: 'ns' })
		expect([await credentials.headers(false), credentials.tls]).toEqual([headers, tls])
	})

	test.each<[title: string, cluster: object, wanted: object]>([
		['an authority in it', { 'certificate-authority-data': base64('CA') }, { tls: { ca: 'CA' } }],
		['an authority beside it', { 'certificate-authority': 'ca.pem' }, { tls: { ca: 'CA FILE' } }],
		['another name of the server', { 'tls-server-name': 'other' }, { tls: { servername: 'other' } }],
		['no verification', { 'insecure-skip-tls-verify': true }, { tls: { rejectUnauthorized: false } }],
		['a proxy', { 'proxy-url': 'http://p:1' }, { proxy: 'http://p:1' }],
	])('names %s', async (_, cluster, wanted) => {
		await file('ca.pem', 'CA FILE')
		expect(await loadCredentials({ kubeconfig: await file('config', kubeconfig({}, cluster)) }, {})).toMatchObject(wanted)
	})

	test('may be several files, of which the first counts, and another context may be chosen', async () => {
		const first = { contexts: [{ name: 'other', context: { cluster: 'c', user: 'u' } }], users: [{ name: 'u', user: { token: 'first' } }] }
		const paths = `${await file('one', first)}:${await file('two', kubeconfig({ token: 'second' }))}`
		const credentials = await loadCredentials({ context: 'other' }, { KUBECONFIG: paths })
		expect([credentials.namespace, await credentials.headers(false)]).toEqual([undefined, { authorization: 'Bearer first' }])
	})

	test('with a program that signs in is asked through client-node, and anew when it was refused', async () => {
		const script =
			'console.log(JSON.stringify({apiVersion:"client.authentication.k8s.io/v1",kind:"ExecCredential",status:{token:"t"+process.pid}}))'
		const exec = {
			apiVersion: 'client.authentication.k8s.io/v1',
			command: process.execPath,
			args: ['-e', script],
			interactiveMode: 'Never',
		}
		const { headers } = await loadCredentials({ kubeconfig: await file('config', kubeconfig({ exec })) }, {})
		const first = await headers(false)
		expect(first.authorization).toMatch(/^Bearer t\d+$/)
		expect(await headers(false)).toEqual(first)
		const second = await headers(true)
		expect(second.authorization).toMatch(/^Bearer t\d+$/)
		expect(second).not.toEqual(first)
	})

	test.each<[title: string, content: unknown, words: RegExp]>([
		['no context', { contexts: [] }, /has no current-context$/],
		['a context that is not there', { 'current-context': 'x' }, /has no context x$/],
		['a user that is not there', { ...kubeconfig({}), users: [] }, /has no user u$/],
		['a server that is no address', kubeconfig({}, { server: 'hunter2' }), /clusters\[0\]\.cluster\.server: Invalid URL$/],
		['what is not YAML', 'token: "hunter2\n  - {', /is not YAML at \[/],
		['acting as somebody else', kubeconfig({ as: 'root' }), /user\.as .* not supported$/],
	])('with %s is refused by a sentence without its values', async (_, content, words) => {
		const failure = await loadCredentials({ kubeconfig: await file('config', content) }, {}).catch(error => error)
		expect([failure.code, failure.message]).toEqual(['CONFIG_INVALID', expect.stringMatching(words)])
		expect(failure.message).not.toContain('hunter2')
	})

	test('that is not there is refused by its name', async () => {
		await expect(loadCredentials({}, { HOME: folder })).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: expect.stringContaining('.kube/config'),
		})
	})
})

describe('a pod’s own token', () => {
	test('is read once a minute, and at once when it was refused', async () => {
		let now = 0
		const headers = bearerFromFile(await file('token', 'one\n'), () => now)
		const bearer = async (refused: boolean) => (await headers(refused)).authorization
		expect(await bearer(false)).toBe('Bearer one')
		await file('token', 'two\n')
		now = 59_999
		expect(await bearer(false)).toBe('Bearer one')
		now = 60_000
		expect(await bearer(false)).toBe('Bearer two')
		await file('token', 'three\n')
		expect(await bearer(true)).toBe('Bearer three')
	})

	test('goes to the address in the environment, whatever its family', async () => {
		await Promise.all([file('token', 't'), file('ca.crt', 'CA')])
		const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
		expect(await inClusterCredentials(env, folder)).toMatchObject({ server: 'https://[fd00::1]:6443', tls: { ca: 'CA' } })
	})

	test('is not guessed where there is none', async () => {
		await expect(inClusterCredentials({ KUBERNETES_SERVICE_HOST: 'h' }, folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
		await expect(inClusterCredentials({}, folder)).rejects.toThrow('KUBERNETES_SERVICE_HOST is required')
	})
})

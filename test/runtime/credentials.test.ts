import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { certificate } from '../../bench/agent/certificate.ts'
import { loadAsKubectl, loadCredentials, type Wanted } from '../../runtime/kube/auth.ts'
import { ownCertificate } from '../../runtime/kube/kubeconfig/certificates.ts'
import { execCredentials } from '../../runtime/kube/kubeconfig/exec-plugin.ts'
import { Exec } from '../../runtime/kube/kubeconfig/schema.ts'
import { inClusterCredentials } from '../../runtime/kube/in-cluster.ts'
import { bearerFromFile } from '../../runtime/kube/kubeconfig/bearer-file.ts'

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

describe('a kubeconfig', () => {
	const plugin = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, interactiveMode: 'Never' }

	test('with an exec plugin runs the plugin again when its credentials were rejected', async () => {
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

	test('with an exec plugin runs the plugin again when its credentials have expired', async () => {
		const script = `console.log(JSON.stringify({apiVersion:"client.authentication.k8s.io/v1",kind:"ExecCredential",
			status:{token:"t"+process.pid,expirationTimestamp:"2026-03-01T12:00:00Z"}}))`
		const exec = Exec.parse({
			apiVersion: 'client.authentication.k8s.io/v1',
			command: process.execPath,
			args: ['-e', script],
			interactiveMode: 'Never',
		})
		let now = Date.parse('2026-03-01T12:00:00Z')
		const { headers } = await execCredentials({ exec, user: 'u', cluster: {}, env: {} }, () => now)
		const first = await headers(false)
		expect(await headers(false)).toEqual(first)
		now++
		expect(await headers(false)).not.toEqual(first)
	})

	/**
	 * Creates an exec plugin that counts its runs, prints the count as a token that is valid for one hour, and fails on run number `fails`.
	 */
	async function counting(fails = 0) {
		const counter = await file('runs', '')
		const script = `const fs = require('fs'); fs.appendFileSync(${JSON.stringify(counter)}, 'x')
			const runs = fs.readFileSync(${JSON.stringify(counter)}).length
			if (runs === ${fails}) process.exit(1)
			const status = { token: 't' + runs, expirationTimestamp: '2026-03-01T12:00:00Z' }
			console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }))`
		let now = Date.parse('2026-03-01T11:00:00Z')
		const { headers } = await execCredentials(
			{ exec: Exec.parse({ ...plugin, args: ['-e', script] }), user: 'u', cluster: {}, env: {} },
			() => now,
		)
		const token = async (refused: boolean) => (await headers(refused)).authorization
		return { token, expire: () => (now += 3_600_001) }
	}

	test.each([
		['its credentials have expired', true],
		['its credentials were rejected', false],
	])('with an exec plugin and concurrent callers runs the plugin once when %s', async (_, isExpired) => {
		const { token, expire } = await counting()
		if (isExpired) expire()
		const answers = await Promise.all(Array.from({ length: 8 }, () => token(!isExpired)))
		expect(new Set(answers)).toEqual(new Set(['Bearer t2']))
	})

	test('with an exec plugin that failed once runs the plugin again for the next call', async () => {
		const { token, expire } = await counting(2)
		expire()
		await expect(token(false)).rejects.toMatchObject({ code: 'SIGN_IN_FAILED' })
		expect(await token(false)).toBe('Bearer t3')
	})

	test('with an exec plugin that prints certificates uses those of its last output', async () => {
		const counter = await file('runs', '')
		const [one, two] = [certificate(), certificate()]
		const script = `const fs = require('fs'); fs.appendFileSync(${JSON.stringify(counter)}, 'x')
			const { cert, key } = ${JSON.stringify([one, two])}[fs.readFileSync(${JSON.stringify(counter)}).length - 1]
			const status = { clientCertificateData: cert, clientKeyData: key }
			console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }))`
		const exec = { ...plugin, args: ['-e', script] }
		const credentials = await loadCredentials({ kubeconfig: await file('config', kubeconfig({ exec })) }, {})
		expect([credentials.tls, credentials.certificate?.()]).toEqual([one, one])
		await credentials.headers(true)
		expect(credentials.certificate?.()).toEqual(two)
	})

	test('with certificates in files reads them again every minute, and when they were rejected', async () => {
		const [one, two] = [certificate(), certificate()]
		let now = 0
		const write = (cert: string, key: string) => Promise.all([file('cert', cert), file('key', key)])
		const [certPath, keyPath] = await write(one.cert, one.key)
		const user = { name: 'u', 'client-certificate': certPath, 'client-key': keyPath, 'as-groups': [], 'as-user-extra': new Map() }
		const found = await ownCertificate(user as never, () => now)
		await write(two.cert, one.key)
		await found.read(true)
		expect(found.now()).toEqual(one)
		await write(two.cert, two.key)
		await found.read(false)
		expect(found.now()).toEqual(one)
		now = 60_000
		await found.read(false)
		expect(found.now()).toEqual(two)
		await write(one.cert, one.key)
		await found.read(true)
		expect(found.now()).toEqual(one)
	})

	const printing = (output: string) => kubeconfig({ exec: { ...plugin, args: ['-e', `console.log(${JSON.stringify(output)})`] } })

	test.each<[title: string, content: unknown, words: RegExp]>([
		['no context', { contexts: [] }, /^kubeconfig \S+ has no current-context$/],
		['a current-context that does not exist', { 'current-context': 'x' }, /has no context x$/],
		['a user that does not exist', { ...kubeconfig({}), users: [] }, /has no user u$/],
		['a cluster that does not exist', { ...kubeconfig({}), clusters: [] }, /has no cluster c$/],
		[
			'a server that is not a URL',
			kubeconfig({}, { server: 'https://hunter2 /' }),
			/: cluster c: server must be a URL such as https:\/\/host:6443$/,
		],
		[
			'a server that is a number',
			kubeconfig({}, { server: 12 }),
			/clusters\[0\]\.cluster\.server: Invalid input: expected string, received number$/,
		],
		[
			'a certificate that is not base64',
			kubeconfig({ 'client-certificate-data': 'hunter2!' }),
			/users\[0\]\.user\.client-certificate-data: must be base64$/,
		],
		['invalid YAML', 'token: "hunter2\n  - {', /is not YAML: line 2, column \d+$/],
		['an undefined YAML alias', 'token: *hunter2', /is not YAML/],
		['two users of the same name', { users: [{ name: 'u' }, { name: 'u' }] }, /users: has two entries with the name "u"$/],
		['a user without credentials', kubeconfig({}), /^user u of the kubeconfig has no token, certificate or exec plugin$/],
		['another kind of object', { kind: 'Secret', data: { a: 'hunter2' } }, /kind: Invalid option/],
		['an exec plugin without a command', kubeconfig({ exec: { apiVersion: plugin.apiVersion } }), /user u: exec\.command is missing$/],
		[
			'an auth provider that kubectl no longer supports',
			kubeconfig({ 'auth-provider': { name: 'gcp' } }),
			/user u: auth-provider must be oidc; kubectl supports no other since 1\.26$/,
		],
	])('with %s is rejected with a message without its values', async (_, content, words) => {
		const failure = await loadCredentials({ kubeconfig: await file('config', content) }, {}).catch(error => error)
		expect([failure.code, failure.message]).toEqual(['CONFIG_INVALID', expect.stringMatching(words)])
		expect(failure.message).not.toContain('hunter2')
	})

	test.each<[title: string, content: object, words: RegExp]>([
		[
			'does not exist',
			kubeconfig({ exec: { ...plugin, command: 'no-such-login', installHint: 'Get it from the portal.' } }),
			/^no-such-login \(exec plugin of user u\) was not found\. Get it from the portal\./,
		],
		[
			'exits with an error',
			kubeconfig({ exec: { ...plugin, args: ['-e', 'process.exit(3)'] } }),
			/ \(exec plugin of user u\) exited with 3$/,
		],
		['prints nothing', printing(''), /printed no valid credentials: the output: Invalid input/],
		['prints a secret that is not JSON', printing('{"token": "hunter2'), /printed no valid credentials: the output: Invalid input/],
		[
			'prints neither a token nor a certificate',
			printing(JSON.stringify({ apiVersion: plugin.apiVersion, kind: 'ExecCredential', status: {} })),
			/status has neither a token nor a certificate$/,
		],
	])('with an exec plugin that %s is rejected with the name of the plugin', async (_, content, words) => {
		const failure = await loadCredentials({ kubeconfig: await file('config', content) }, { PATH: '/nowhere' }).catch(error => error)
		expect([failure.code, failure.message]).toEqual(['SIGN_IN_FAILED', expect.stringMatching(words)])
		expect(failure.message).not.toContain('hunter2')
	})

	test('that does not exist is rejected with its path', async () => {
		await expect(loadCredentials({}, { HOME: folder })).rejects.toMatchObject({
			code: 'CONFIG_INVALID',
			message: `kubeconfig ${folder}/.kube/config cannot be read: there is no such file`,
		})
	})
})

describe('inside a pod, a server process', () => {
	const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }

	test.each<[title: string, wanted: Wanted, server: string | RegExp]>([
		['uses the pod’s own token even if ~/.kube/config exists', {}, /serviceaccount\/ca\.crt cannot be read$/],
		['uses the requested kubeconfig', { kubeconfig: 'named' }, 'https://k.example:6443'],
		['uses the requested context', { context: 'main' }, 'https://k.example:6443'],
		['rejects a context that does not exist', { context: 'nonsense' }, /has no context nonsense$/],
	])('%s', async (_, wanted, server) => {
		await mkdir(join(folder, '.kube'))
		await Promise.all([file('named', kubeconfig({ token: 'abc' })), file('.kube/config', kubeconfig({ token: 'abc' }))])
		const options = { ...wanted, ...(wanted.kubeconfig && { kubeconfig: join(folder, wanted.kubeconfig) }) }
		const found = await loadCredentials(options, { ...pod, HOME: folder }).catch(error => error)
		if (server instanceof RegExp) expect([found.code, found.message]).toEqual(['CONFIG_INVALID', expect.stringMatching(server)])
		else expect(found.server).toBe(server)
	})
})

describe('inside a pod, like kubectl', () => {
	const pod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
	const ofPod = 'https://10.96.0.1:443'
	const ofFile = 'https://k.example:6443'

	beforeEach(async () => {
		await mkdir(join(folder, '.kube'))
		const { contexts = [], ...rest } = kubeconfig({ token: 'abc' }) as { contexts?: object[] }
		await Promise.all([file('token', 't'), file('ca.crt', 'CA'), file('named', { contexts, ...rest })])
		await file('.kube/config', { ...rest, 'current-context': undefined, contexts })
	})

	test.each<[title: string, wanted: Wanted, env: Record<string, string>, server: string | RegExp]>([
		['the requested context is used', { context: 'main' }, pod, ofFile],
		['a context that does not exist is rejected', { context: 'nonsense' }, pod, /has no context nonsense$/],
		['the current context of a kubeconfig is used', {}, { ...pod, KUBECONFIG: 'named' }, ofFile],
		['without a current context, the pod’s own account is used', {}, pod, ofPod],
		['without a kubeconfig, the pod’s own account is used', {}, { ...pod, KUBECONFIG: '/dev/null' }, ofPod],
		[
			'the pod’s own account is not used without KUBERNETES_SERVICE_PORT',
			{},
			{ KUBERNETES_SERVICE_HOST: '10.96.0.1' },
			/has no current-context$/,
		],
		['the pod’s own account is not used without a token file', {}, { ...pod, folder: 'elsewhere' }, /has no current-context$/],
		['outside a pod, no API server is assumed', {}, {}, /has no current-context$/],
	])('%s', async (_, wanted, { folder: mounted = '', ...env }, server) => {
		const variables = { HOME: folder, ...env, ...(env.KUBECONFIG && { KUBECONFIG: resolve(folder, env.KUBECONFIG) }) }
		const found = await loadAsKubectl(wanted, variables, join(folder, mounted)).catch(error => error)
		if (server instanceof RegExp) expect([found.code, found.message]).toEqual(['CONFIG_INVALID', expect.stringMatching(server)])
		else expect(found.server).toBe(server)
	})

	test('the pod’s own API server is reached through HTTPS_PROXY unless NO_PROXY names it', async () => {
		const env = { ...pod, HOME: folder, HTTPS_PROXY: 'http://proxy.example:3128' }
		expect(await loadAsKubectl({}, env, folder)).toMatchObject({ proxy: 'http://proxy.example:3128' })
		expect(await loadAsKubectl({}, { ...env, NO_PROXY: '10.96.0.0/12' }, folder)).not.toHaveProperty('proxy')
	})
})

describe('the token of a pod', () => {
	test('is read once a minute, and immediately after it was rejected', async () => {
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

	test('is sent to the address in the environment, also if it is an IPv6 address', async () => {
		await Promise.all([file('token', 't'), file('ca.crt', 'CA')])
		const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
		expect(await inClusterCredentials(env, folder)).toMatchObject({ server: 'https://[fd00::1]:6443', tls: { ca: 'CA' } })
	})

	test('is not used when the environment or the files of a pod are missing', async () => {
		await expect(inClusterCredentials({ KUBERNETES_SERVICE_HOST: 'h' }, folder)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
		await expect(inClusterCredentials({}, folder)).rejects.toThrow('KUBERNETES_SERVICE_HOST is required')
	})
})

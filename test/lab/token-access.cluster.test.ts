import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { stringify } from 'yaml'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { kubeGet } from '../../lab/cluster/kube-get.ts'
import { tokenAccess } from '../../lab/cluster/token-access.ts'

/** Tests with the lab's API server how the cluster tests use k3s, whose kubeconfig has a client certificate. */

const signedFor = 'kube-apiserver-kubelet-client' // the only client certificate that the lab's CA signs
let api: ApiServer

beforeAll(async () => {
	api = await startApiServer()
	const bind = ['create', 'clusterrolebinding', 'given', '--clusterrole=cluster-admin', `--user=${signedFor}`]
	await execa(join(api.bin, 'kubectl'), bind, { env: { KUBECONFIG: api.kubeconfig } })
})
afterAll(() => api?.stop())

test('a kubeconfig with a client certificate leads to an administrator account with a token', async () => {
	const dir = await folder()
	const access = await tokenAccess(await withCertificate(), dir)
	expect(access).toMatchObject({ server: api.server, ca: api.ca })
	expect(access.token).not.toBe(api.token)
	expect(await kubeGet(access, '/api/v1/secrets')).toMatchObject({ status: 200 })
	expect(await kubeGet({ ...access, token: `${access.token}x` }, '/api')).toMatchObject({ status: 401 })
	expect(await readFile(access.caFile, 'utf8')).toBe(api.ca)
	const kubectl = (...args: string[]) => execa(join(api.bin, 'kubectl'), args, { env: { KUBECONFIG: access.kubeconfig }, reject: false })
	expect((await kubectl('auth', 'can-i', '*', '*', '--as', 'system:admin', '--as-group', 'system:masters')).stdout).toBe('yes')
	expect((await kubectl('auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}')).stdout).toBe(
		'system:serviceaccount:multinic-test-access:admin',
	)
	for (const file of [access.kubeconfig, join(dir, 'given.kubeconfig')]) expect((await stat(file)).mode & 0o077).toBe(0)
})

test('a kubeconfig without a certificate authority is rejected', async () => {
	const bare = JSON.stringify({
		'current-context': 'a',
		clusters: [{ name: 'a', cluster: { server: api.server } }],
		users: [{ name: 'a', user: { token: api.token } }],
		contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
	})
	await expect(tokenAccess(bare, await folder())).rejects.toThrow(`the kubeconfig of ${api.server} has no certificate-authority-data`)
})

async function folder(): Promise<string> {
	const dir = await mkdtemp(join(tmpdir(), 'multinic-access-'))
	onTestFinished(() => rm(dir, { recursive: true }))
	await chmod(dir, 0o755) // so that only the modes of the files themselves matter
	return dir
}

/** Returns a kubeconfig as k3s writes it. */
async function withCertificate(): Promise<string> {
	const data = async (name: string) => (await readFile(join(dirname(api.caFile), name))).toString('base64')
	const user = { 'client-certificate-data': await data('kubelet-client.crt'), 'client-key-data': await data('kubelet-client.key') }
	return stringify({
		apiVersion: 'v1',
		kind: 'Config',
		clusters: [{ name: 'default', cluster: { server: api.server, 'certificate-authority-data': await data('ca.crt') } }],
		users: [{ name: 'default', user }],
		contexts: [{ name: 'default', context: { cluster: 'default', user: 'default' } }],
		'current-context': 'default',
	})
}

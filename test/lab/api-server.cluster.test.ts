import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { kubeGet } from '../../lab/cluster/kube-get.ts'
import { family } from './processes.ts'

/** Checks that the API server of the other cluster tests is a real one with authentication. */

let api: ApiServer
let other: ApiServer

beforeAll(async () => {
	;[api, other] = await Promise.all([startApiServer({ controllerManager: true }), startApiServer()])
})

afterAll(async () => {
	await Promise.all([api?.stop(), other?.stop()])
})

const kubectl = async (...args: string[]) => execa(join(api.bin, 'kubectl'), args, { env: { KUBECONFIG: api.kubeconfig }, reject: false })

describe('a real API server', () => {
	test('reports its version, which the chart needs', async () => {
		const { body } = await kubeGet(api, '/version')
		expect(JSON.parse(body)).toMatchObject({ major: '1', minor: '34', gitVersion: 'v1.34.4' })
	})

	test('helm assumes the same version when it does not query a cluster', async () => {
		const { stdout } = await execa(join(api.bin, 'helm'), ['version', '--template', '{{.Version}}'])
		expect(stdout).toMatch(/^v3\.20\./)
	})

	test('rejects a wrong token, and is trusted only with its own CA', async () => {
		expect(await kubeGet({ ...api, token: 'wrong' }, '/api')).toMatchObject({ status: 401 })
		expect(await kubeGet({ ...api, ca: other.ca }, '/api')).toMatchObject({ status: 0 })
	})

	test('two instances are isolated from each other', async () => {
		expect(api.server).not.toBe(other.server)
		expect(await kubeGet({ ...other, token: api.token }, '/api')).toMatchObject({ status: 401 })
	})

	test('applies RBAC to the user that kubectl impersonates', async () => {
		const { stdout } = await kubectl('auth', 'can-i', 'create', 'pods', '--as', 'somebody')
		expect(stdout).toBe('no')
	})

	test('runs controllers that create the ServiceAccount and the CA ConfigMap of a namespace', async () => {
		await kubectl('create', 'namespace', 'made-here')
		const made = async () =>
			(await kubectl('get', 'serviceaccount/default', 'configmap/kube-root-ca.crt', '-n', 'made-here', '-o', 'name')).stdout
		await expect.poll(made).toBe('serviceaccount/default\nconfigmap/kube-root-ca.crt')
	})
})

test('an API server that is stopped leaves no process and no file', async () => {
	const third = await startApiServer()
	const mine = () => family(process.pid).filter(({ argv }) => argv.some(arg => arg.includes(dirname(third.caFile))))
	expect(mine().map(({ argv }) => argv[0]?.split('/').at(-1))).toEqual(expect.arrayContaining(['etcd', 'kube-apiserver']))
	await third.stop()
	expect(mine()).toEqual([])
	expect(existsSync(dirname(third.caFile))).toBe(false)
})

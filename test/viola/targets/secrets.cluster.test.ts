import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type ApiServer, startApiServer } from '../../../lab/cluster/api-server.ts'
import { loadCredentials } from '../../../runtime/kube/auth.ts'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { Namespace, Secret } from '../../../runtime/kube/kinds.ts'
import { createLog } from '../../../runtime/log.ts'
import { createTargets } from '../../../viola/targets/targets.ts'
import { base64, kubeconfigOf } from './kubeconfig.ts'

/** The Secrets of a real API server as targets. */

const namespace = 'viola-targets'
let api: ApiServer
let client: KubeClient

beforeAll(async () => {
	api = await startApiServer()
	client = new KubeClient(await loadCredentials({ kubeconfig: api.kubeconfig }, {}), { fieldManager: 'test' })
	await client.apply(Namespace, { metadata: { name: namespace } })
})
afterAll(async () => {
	await client?.close()
	await api?.stop()
})
beforeEach(async () => {
	for (const { metadata } of (await client.list(Secret, { namespace })).items) await client.delete(Secret, metadata)
})

type Parts = { providerId?: string; key?: string; annotations?: Record<string, string> }

const put = (name: string, kubeconfig: string, { providerId = 'biz', key = 'value', annotations = {} }: Parts = {}) =>
	client.apply(Secret, {
		metadata: { name, namespace, labels: { 'multinic.io/provider-id': providerId }, annotations },
		data: { [key]: base64(kubeconfig) },
	})
const remove = (name: string) => client.delete(Secret, { name, namespace })
const token = (text: string) => kubeconfigOf({ token: text })

async function start() {
	const end = new AbortController()
	onTestFinished(() => end.abort())
	const lines: string[] = []
	const log = createLog('viola', { level: 'trace', to: { write: line => void lines.push(line) } })
	const targets = createTargets({ secrets: { client, namespace }, log, signal: end.signal })
	await expect.poll(() => targets.isComplete()).toBe(true)
	const changes: string[] = []
	targets.onChange(({ type, target }) => changes.push(`${type} ${target.providerId} from ${target.source}`))
	const refused = () => targets.refused().map(({ source, reason }) => `${source}: ${reason}`)
	const tokenOf = (providerId = 'biz') => {
		const access = targets.get(providerId)?.access
		return access?.from === 'inline' ? access.kubeconfig.user.token : undefined
	}
	return { targets, changes, refused, tokenOf, lines }
}

test('a cluster is added, its credentials are rotated, and it is removed', async () => {
	const { targets, changes, tokenOf } = await start()
	await put('biz', token('one'))
	await expect.poll(() => tokenOf()).toBe('one')
	await put('biz', token('two'), { annotations: { note: 'x' } })
	await expect.poll(() => tokenOf()).toBe('two')
	await remove('biz')
	await expect.poll(() => targets.all()).toEqual([])
	const source = `Secret ${namespace}/biz`
	expect(changes).toEqual([`added biz from ${source}`, `changed biz from ${source}`, `removed biz from ${source}`])
})

test('Secrets that exist at start are targets as soon as all have been read; a Secret without the label is ignored', async () => {
	await put('biz', token('one'), { key: 'kubeconfig' })
	await client.apply(Secret, { metadata: { name: 'other', namespace }, data: { value: base64(token('two')) } })
	const { targets } = await start()
	expect(targets.all().map(({ source }) => source)).toEqual([`Secret ${namespace}/biz`])
})

const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: ['/tmp/forged'], interactiveMode: 'Never' }
const bomb = ['a: &a [x,x,x,x]', ...Array.from('bcdefghi', (name, at) => `${name}: &${name} [${`*${'abcdefgh'[at]},`.repeat(9)}]`)].join(
	'\n',
)

test.each<[sentence: string, kubeconfig: string, reason: string]>([
	['a program to run', kubeconfigOf({ token: 'tell-no-one', exec }), 'key value: user u: exec is not allowed here, use inline data'],
	['a file to read', kubeconfigOf({ tokenFile: '/etc/shadow' }), 'key value: user u: tokenFile is not allowed here, use inline data'],
	['an alias bomb', bomb, 'key value: it has a YAML anchor, which is not allowed'],
	['a megabyte', `# ${'x'.repeat(900_000)}`, 'key value: it has 900002 bytes, and at most 262144 are allowed'],
	['deep lists', '['.repeat(200_000), 'key value: it is nested more than 16 levels deep'],
])('a forged Secret with %s is refused and named, and others stay in use', async (_, kubeconfig, reason) => {
	const { targets, refused, tokenOf, lines } = await start()
	await put('good', token('one'), { providerId: 'good' })
	await put('forged', kubeconfig)
	await expect.poll(refused).toEqual([`Secret ${namespace}/forged: ${reason}`])
	await expect.poll(() => tokenOf('good')).toBe('one')
	expect(targets.get('biz')?.access).toEqual({ from: 'nowhere', fault: reason })
	expect(lines.filter(line => line.includes('the source of a biz cluster is refused'))).toHaveLength(1)
	expect(lines.join()).not.toMatch(/tell-no-one|xxxx/)
})

test('a Secret that becomes invalid is refused, and its last valid version stays in use', async () => {
	await put('biz', token('one'))
	const { refused, tokenOf, changes } = await start()
	await put('biz', kubeconfigOf({ exec }))
	await expect.poll(() => refused().join()).toContain('exec is not allowed here, use inline data; its last valid version stays in use')
	expect([tokenOf(), changes.length]).toEqual(['one', 1])
	await put('biz', token('two'))
	await expect.poll(() => tokenOf()).toBe('two')
	expect(refused()).toEqual([])
})

test('of two Secrets for one provider the older is used, and the other replaces it when it is removed', async () => {
	const older = await put('older', token('one'))
	let younger = await put('a-younger', token('two'))
	while (younger.metadata.creationTimestamp === older.metadata.creationTimestamp) {
		await remove('a-younger') // the time has a resolution of one second
		younger = await put('a-younger', token('two'))
	}
	const { refused, tokenOf } = await start()
	expect(tokenOf()).toBe('one')
	expect(refused()).toEqual([`Secret ${namespace}/a-younger: provider biz is already defined by Secret ${namespace}/older`])
	await remove('older')
	await expect.poll(() => tokenOf()).toBe('two')
	expect(refused()).toEqual([])
})

test('a Secret whose label changes moves to its new provider', async () => {
	await put('biz', token('one'))
	const { targets, changes } = await start()
	await put('biz', token('one'), { providerId: 'other' })
	await expect.poll(() => targets.get('other')?.providerId).toBe('other')
	expect(targets.get('biz')).toBeUndefined()
	expect(changes.slice(1)).toEqual([`removed biz from Secret ${namespace}/biz`, `added other from Secret ${namespace}/biz`])
})

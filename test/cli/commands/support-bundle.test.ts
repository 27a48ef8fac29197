import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { execa } from 'execa'
import { extract } from 'tar-stream'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { writeArchive } from '../../../cli/bundle/archive.ts'
import { leanNode, leanObject } from '../../../cli/bundle/lean.ts'
import { ConfigMap, Deployment, Event, Node, Pod, Secret } from '../../../runtime/kube/kinds.ts'
import { clusterOf, namespace, putRunPod, type Stage, startStage } from '../cluster.ts'
import { command, configured, failed } from '../fixtures.ts'

/** Tests that the bundle contains everything that is useful for support, and no secrets. */

const ours = { 'app.kubernetes.io/part-of': 'multinic' }

async function world(): Promise<Stage> {
	const stage = await startStage()
	const { objects } = stage.server
	stage.put('worker-1', configured)
	stage.put('worker-2', failed)
	const at = (name: string, labels = {}) => ({ name, namespace, labels: { ...ours, ...labels } })
	objects.create(Node, { metadata: { name: 'worker-1', labels: { 'example.com/customer': 'acme' } } })
	objects.create(ConfigMap, { metadata: at('multinic-rollout'), data: { maxUnavailable: '10%' } })
	objects.create(ConfigMap, { metadata: at('run-1', { 'multinic.io/config-uid': 'u' }), data: { 'config.json': '{}' } })
	objects.create(ConfigMap, { metadata: { name: 'somebody-elses', namespace }, data: { key: 'not-ours' } })
	objects.create(Secret, { metadata: { name: 'registry', namespace }, data: { password: 'aHVudGVyMg==' } })
	objects.create(Event, { metadata: { name: 'e', namespace }, reason: 'PodRefused' } as never)
	const { uid } = objects.create(Deployment, { metadata: at('multinic-controller'), spec: {} } as never).metadata
	putPod(stage, 'multinic-controller-a', uid, { restartCount: 1, state: { running: {} } })
	const run = (node: string, name: string, state: object) => {
		const status = { containerStatuses: [{ name: 'agent', restartCount: 0, state }] }
		putRunPod(stage, { node, name, labels: ours, status, env })
	}
	run('worker-1', 'run-1-a', { terminated: { exitCode: 0 } })
	run('worker-2', 'run-2-b', { waiting: { reason: 'ImagePullBackOff' } })
	stage.server.onRequest(({ path, query }) =>
		path.endsWith('/log')
			? { fault: 'answer', status: 200, body: `${path.split('/').at(-2)}${query.has('previous') ? ' before' : ''}\n` }
			: undefined,
	)
	return stage
}

const env = [
	{ name: 'RUN', value: '{}' },
	{ name: 'REGISTRY_PASSWORD', value: 'hunter2' },
]

/**
 * @param uid of the object in place of its ReplicaSet, a kind that this API server does not have; a pod without its owner is deleted
 */
function putPod({ server }: Stage, name: string, uid: string, status: object): void {
	const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'multinic-controller', uid, controller: true }]
	server.objects.create(Pod, {
		metadata: { name, namespace, labels: ours, ownerReferences },
		spec: { serviceAccountName: 'multinic-controller', containers: [{ name: 'agent', env }] },
	} as never)
	server.objects.patchStatus(Pod, { name, namespace }, { containerStatuses: [status] })
}

function folder(): string {
	const path = mkdtempSync(join(tmpdir(), 'multinic-bundle-test-'))
	onTestFinished(() => rmSync(path, { recursive: true }))
	return path
}

async function unpacked(file: string): Promise<Record<string, string>> {
	const files: Record<string, string> = {}
	const archive = extract()
	archive.end(gunzipSync(readFileSync(file)))
	for await (const entry of archive) {
		let text = ''
		for await (const chunk of entry) text += chunk
		files[entry.header.name.replace(/^multinic-support-20260301T120000\//, '')] = text
	}
	return files
}

test('the bundle contains everything of MultiNIC and nothing else, and the index comes first', async () => {
	const { cluster, server } = await world()
	const file = join(folder(), 'bundle.tar.gz')
	expect(await command(`support-bundle -o ${file}`, { cluster })).toEqual({
		code: 0,
		err: '',
		out: `${file}: 15 files; start with index.txt\n`,
	})
	const files = await unpacked(file)
	expect(Object.keys(files)).toEqual([
		'index.txt',
		'crd.json',
		'deployments.json',
		'events.json',
		'lease.json',
		'logs/multinic-controller-a.log',
		'logs/multinic-controller-a.previous.log',
		'logs/run-1-a.log',
		'node-configs.json',
		'nodes.json',
		'pods.json',
		'rollout.json',
		'runs/configmaps.json',
		'runs/jobs.json',
		'versions.json',
	])
	expect(files['logs/multinic-controller-a.previous.log']).toBe('multinic-controller-a before\n')
	expect(JSON.parse(files['node-configs.json'] ?? '')).toHaveLength(2)
	expect(JSON.parse(files['runs/configmaps.json'] ?? '')).toHaveLength(1)
	const all = Object.values(files).join('\n')
	for (const stranger of ['hunter2', 'aHVudGVyMg', 'not-ours', 'acme']) expect(all).not.toContain(stranger)
	expect(server.requests.filter(({ plural }) => plural === 'secrets')).toEqual([])
	expect(statSync(file).mode & 0o777).toBe(0o600)
	expect(readdirSync(join(file, '..'))).toEqual(['bundle.tar.gz'])
})

test('data that a node can create is limited: mirror pods are not read, and Events are truncated at the size limit of a file', async () => {
	const { cluster, server } = await world()
	const message = 'x'.repeat(1_400_000)
	for (let at = 0; at < 60; at++) server.objects.create(Event, { metadata: { name: `flood-${at}`, namespace }, message } as never)
	const mirror = { metadata: { name: 'mirror', namespace, labels: ours }, spec: { nodeName: 'worker-1', containers: [{ name: 'agent' }] } }
	server.objects.create(Pod, mirror as never)
	const file = join(folder(), 'bundle.tar.gz')
	expect(await command(`support-bundle -o ${file}`, { cluster })).toMatchObject({ code: 0 })
	const files = await unpacked(file)
	expect(JSON.parse(files['events.json'] ?? '').at(-1)).toBe('The list is longer than 64 MiB; the rest is omitted.')
	expect(files['pods.json']).not.toContain('mirror')
})

test('the index shows the problems and the relevant files', async () => {
	const { cluster } = await world()
	const file = join(folder(), 'bundle.tar.gz')
	await command(`support-bundle -o ${file}`, { cluster })
	const index = (await unpacked(file))['index.txt'] ?? ''
	expect(index).toContain(
		'2 nodes: 1 Configured, 1 Failed\n\nNOT IN THE DESIRED STATE\n  NODE       STATE    INTERFACES   REASON         AGE   MESSAGE\n',
	)
	expect(index).toMatch(/^ {2}worker-2 +Failed +0\/\d +PartlyFailed +0s +multinic1: no link has the MAC yet\.$/m)
	expect(index).toContain('\nNOT READ\n  nothing, the bundle is complete\n')
})

test('files that could not be read are listed with the error, and the other files are included', async () => {
	const file = join(folder(), 'bundle.tar.gz')
	const narrow = { allows: (_: string, { plural }: { plural?: string }) => plural !== 'nodes' && plural !== 'pods' }
	const stage = await startStage(narrow)
	stage.put('worker-1', configured)
	const { code, err } = await command(`support-bundle -o ${file}`, { cluster: clusterOf(stage.server.credentialsOf('reader')) })
	expect(code).toBe(0)
	expect(err).toContain(
		'warning: nodes.json is missing: user reader cannot list nodes at the cluster scope; ask for a role that allows it\n',
	)
	const files = await unpacked(file)
	expect(files['index.txt']).toContain('  nodes.json: user reader cannot list nodes at the cluster scope')
	expect(files['node-configs.json']).toContain('worker-1')
})

describe('the output file', () => {
	test('is the target of a symbolic link', async () => {
		const { cluster } = await world()
		const [file, link] = ['bundle.tar.gz', 'link'].map(name => join(at, name)) as [string, string]
		writeFileSync(file, 'the one before')
		symlinkSync(file, link)
		await command(`support-bundle -o ${link}`, { cluster })
		expect(Object.keys(await unpacked(file))).toContain('index.txt')
		expect(lstatSync(link).isSymbolicLink()).toBe(true)
		expect(readdirSync(at).sort()).toEqual(['bundle.tar.gz', 'link'])
	})

	test('can be a pipe, such as /dev/stdout, which receives only the bundle', async () => {
		const { cluster } = await world()
		const pipe = join(at, 'pipe')
		await execa('mkfifo', [pipe])
		const received = execa('cat', [pipe], { encoding: 'buffer' })
		const { code, out, err } = await command(`support-bundle -o ${pipe}`, { cluster })
		writeFileSync(join(at, 'received'), (await received).stdout)
		expect(Object.keys(await unpacked(join(at, 'received')))).toContain('index.txt')
		expect({ code, out, err }).toEqual({ code: 0, out: '', err: `${pipe}: 15 files; start with index.txt\n` })
		expect(lstatSync(pipe).isFIFO()).toBe(true)
	})

	test('cannot be a directory', async () => {
		const { cluster } = await world()
		const { code, err } = await command(`support-bundle -o ${at}`, { cluster })
		expect({ code, err }).toMatchObject({ code: 1, err: expect.stringMatching(/ cannot be written: EISDIR[^\n]+\n$/) })
		expect(readdirSync(at)).toEqual([])
	})

	let at: string
	beforeEach(() => {
		at = folder()
	})
})

describe('no bundle is left behind', () => {
	test('if nothing can be read', async () => {
		const { server } = await startStage()
		await server.down()
		const file = join(folder(), 'bundle.tar.gz')
		const { code, err } = await command(`support-bundle -o ${file}`, { cluster: clusterOf(server.credentials) })
		expect(code).toBe(1)
		expect(err).toMatch(/^error: nothing could be read, so no bundle was written: http:\S+ cannot be reached: [^\n]+\n$/)
		expect(existsSync(file)).toBe(false)
		await server.up()
	})

	test('if it cannot be written and is larger than a stream buffer', async () => {
		const entries = ['a', 'b'].map(path => ({ path, text: randomBytes(1_000_000).toString('hex') }))
		await expect(writeArchive('/nowhere/bundle.tar.gz', 'bundle', entries, new Date())).rejects.toMatchObject({
			code: 'NOT_WRITTEN',
			message: expect.stringContaining('cannot be written: ENOENT'),
		})
	})

	test('if it cannot be written', async () => {
		const { cluster } = await world()
		const { code, err } = await command('support-bundle -o /nowhere/bundle.tar.gz', { cluster })
		expect({ code, err }).toMatchObject({
			code: 1,
			err: expect.stringMatching(/^error: \/nowhere\/bundle.tar.gz cannot be written: ENOENT[^\n]+\n$/),
		})
	})
})

test.each<[name: string, value: string, shown: string]>([
	['RUN', '{"mode":"Apply"}', '{"mode":"Apply"}'],
	['HTTPS_PROXY', 'http://me:hunter2@proxy:3128', 'http://[hidden]@proxy:3128'],
	['OS_PASSWORD', 'hunter2', '[hidden]'],
	['REGISTRY_TOKEN', 'hunter2', '[hidden]'],
	['AWS_ACCESS_KEY', 'hunter2', '[hidden]'],
])('the variable %s=%s is included as %s', (name, value, shown) => {
	const pod = { metadata: { name: 'p' }, spec: { containers: [{ env: [{ name, value }] }] } }
	expect(leanObject(pod)).toEqual({ metadata: { name: 'p' }, spec: { containers: [{ env: [{ name, value: shown }] }] } })
})

test('managed fields and the last applied configuration are omitted', () => {
	const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'multinic.io/retry': '1' }
	const object = { metadata: { name: 'p', managedFields: [{}], annotations } }
	expect(leanObject(object)).toEqual({ metadata: { name: 'p', annotations: { 'multinic.io/retry': '1' } } })
})

test('a Node has only the fields that affect runs', () => {
	const labels = { 'node-role.kubernetes.io/control-plane': '', 'kubernetes.io/arch': 'amd64', 'example.com/customer': 'acme' }
	const node = {
		metadata: { name: 'n', labels, annotations: { note: 'acme' } },
		spec: { unschedulable: true, providerID: 'openstack:///x' },
	}
	expect(leanNode(node as never)).toMatchObject({
		metadata: { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '', 'kubernetes.io/arch': 'amd64' } },
		spec: { unschedulable: true },
	})
	expect(JSON.stringify(leanNode(node as never))).not.toMatch(/acme|openstack/)
})

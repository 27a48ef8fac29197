import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ExecaError, execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../../bundle.ts'
import { OF_ACCOUNTS } from '../../cli/read/run-pods.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { Lease, Pod } from '../../runtime/kube/kinds.ts'
import { reportFor } from '../../lab/cluster/fake-kubelet.ts'
import { manifests } from '../charts/release.ts'
import { type Rule, waitForRights } from '../charts/rights.ts'
import { eventually, namespace, type Stage, startStage } from '../controller/stage.ts'

/**
 * Tests the installed plugin, called by the real kubectl, with the real controller on a real control plane; kubelet and agent are
 * simulated.
 */

const nic = { id: 0, macAddress: 'fa:16:3e:37:c3:f1', address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }
const farAhead = '2100-01-01T00:00:00.000000Z'
let stage: Stage
let controller: ReturnType<Stage['controller']>
let dir: string
let kubeconfig: string

beforeAll(async () => {
	dir = mkdtempSync(join(tmpdir(), 'multinic-cli-'))
	await bundle(dir)
	copyFileSync(join(dir, 'kubectl-multinic.cjs'), join(dir, 'kubectl-multinic'))
	process.env.PATH = `${dir}:${process.env.PATH}`
	stage = await startStage()
	kubeconfig = (await stage.kubectl('config', 'view', '--raw', '-o', 'json')).stdout
	controller = stage.controller()
	// the controller of this test leads without an election
	const lease = { metadata: { name: 'multinic-controller', namespace }, spec: { holderIdentity: 'test', renewTime: farAhead } }
	await stage.admin.create(Lease, lease as never)
	for (const [at, name] of ['worker-1', 'worker-2', 'worker-3'].entries()) await newNode(name, at)
	for (const name of ['worker-1', 'worker-2']) await eventually(async () => expect(await stateOf(name)).toBe('Configured'))
})
afterAll(async () => {
	await controller?.stop()
	await stage?.stop()
	rmSync(dir, { recursive: true, force: true })
})

type Ended = { code: number; out: string; err: string }

/** Runs `kubectl multinic …`; returns its result even if it fails. */
async function multinic(line: string, ...more: string[]): Promise<Ended> {
	try {
		const { stdout, stderr } = await stage.kubectl('multinic', ...line.split(' '), ...more)
		return { code: 0, out: stdout, err: stderr }
	} catch (error) {
		const { exitCode = -1, stdout = '', stderr = '' } = error as ExecaError<{ all: true }>
		return { code: exitCode, out: String(stdout), err: String(stderr) }
	}
}

async function newNode(name: string, at: number): Promise<void> {
	await stage.kubelet.addNode(name)
	const interfaces = [{ ...nic, macAddress: `fa:16:3e:00:00:0${at}`, address: `10.0.0.${10 + at}` }]
	if (name === 'worker-3') stage.kubelet.fate(name, input => ({ report: failing(input), end: 'Failed' }))
	await stage.admin.create(NodeConfig, { metadata: { name, namespace }, spec: { nodeName: name, interfaces } })
}

function failing(input: Parameters<typeof reportFor>[0]) {
	const { interfaces } = reportFor(input)
	const state = { state: 'Failed', reason: 'MtuRefused', message: 'ens7 carries 1500 at most' } as const
	const mine = interfaces.map(one => ({ ...one, ...state }))
	return reportFor(input, { outcome: 'Failed', reason: 'MtuRefused', message: 'ens7 carries 1500 at most', interfaces: mine })
}

async function stateOf(name: string): Promise<unknown> {
	return (await stage.admin.get(NodeConfig, { name, namespace })).status?.state
}

describe('a fleet', () => {
	test('is shown as a table and as JSON, and determines the exit code', async () => {
		await eventually(async () => expect(await stateOf('worker-3')).toBe('Failed'))
		const all = await multinic('get')
		expect(all).toMatchObject({ code: 1, err: '' })
		expect(all.out.split('\n').map(line => line.split(/ {2,}/).slice(0, 4))).toEqual([
			['NODE', 'STATE', 'INTERFACES', 'REASON'],
			['worker-1', 'Configured', '1/1', 'AllInterfacesConfigured'],
			['worker-2', 'Configured', '1/1', 'AllInterfacesConfigured'],
			['worker-3', 'Failed', '0/1', 'MtuRefused'],
		])
		expect(JSON.parse((await multinic('get -o json')).out)).toMatchObject({ kind: 'List', rollout: { settled: 3, running: 0 } })
		expect(await multinic('get worker-1 worker-2')).toMatchObject({ code: 0, err: '' })
		expect((await multinic('get worker-3')).out).toContain('kubectl multinic retry worker-3')
	})

	test('queues a change while it is paused and continues when it is resumed', async () => {
		expect((await multinic('pause')).out).toMatch(/^rollout paused\./)
		await stage.admin.patch(
			NodeConfig,
			{ name: 'worker-1', namespace },
			{ spec: { interfaces: [{ ...nic, macAddress: 'fa:16:3e:00:00:00', mtu: 1400 }] } },
		)
		await eventually(async () => expect((await multinic('get')).out).toMatch(/^worker-1 +Pending +\S+ +Waiting 1 of 1 /m))
		const { out, code } = await multinic('get')
		expect(code).toBe(1)
		expect(out).toContain('1 queued: the rollout is paused\n')
		expect((await multinic('resume')).out).toBe('rollout resumed. 1 node queued, worker-1 is next.')
		await eventually(async () => expect((await multinic('get worker-1')).code).toBe(0))
	})

	test('pauses and resumes one node', async () => {
		expect((await multinic('pause worker-2')).out).toContain('paused (was Configured')
		await eventually(async () => expect((await multinic('get worker-2')).out).toContain('It is paused'))
		expect(await multinic('diff worker-2')).toMatchObject({ code: 1, err: expect.stringContaining('worker-2 is paused') })
		expect((await multinic('resume worker-2')).out).toContain('resumed')
		await eventually(async () => expect((await multinic('get worker-2')).code).toBe(0))
	})

	test('prints a line per change in a watch until Ctrl-C', async () => {
		const watching = stage.kubectl('multinic', 'get', '-w')
		let told = ''
		watching.stdout.on('data', chunk => {
			told += String(chunk)
		})
		await eventually(() => expect(told).toContain('worker-3'))
		expect((await multinic('retry worker-1')).code).toBe(0)
		await eventually(() => expect(told.match(/^worker-1 /gm)?.length).toBeGreaterThan(1))
		watching.kill('SIGINT')
		const { exitCode } = await watching.catch(error => error as ExecaError)
		expect(exitCode).toBe(130)
	})
})

describe('one node', () => {
	test('is retried, and its history has the run', async () => {
		const before = stage.kubelet.inputs.length
		expect(await multinic('retry --failed')).toMatchObject({ code: 0, out: expect.stringMatching(/^worker-3: was Failed \(MtuRefused\)/) })
		await eventually(() => expect(stage.kubelet.inputs.length).toBeGreaterThan(before))
		await eventually(async () => expect((await multinic('history worker-3')).out).toContain('multinic-agent-worker-3-g1-2'))
	})

	test('has no diff before drift and a diff after it', async () => {
		const right = await multinic('diff worker-1')
		expect(right).toMatchObject({ code: 0, err: '' })
		expect(right.out).toMatch(/^worker-1 matches generation 2 of its node config \(checked by Job multinic-agent-worker-1-g2-\d+\)$/)
		const drift = [{ attribute: 'mtu' as const, wanted: '1400', found: '1500' }]
		stage.kubelet.fate('worker-1', input => {
			const { interfaces } = reportFor(input)
			if (input.mode !== 'Verify') return { report: reportFor(input), end: 'Succeeded' }
			const mine = interfaces.map(one => ({
				...one,
				state: 'Failed' as const,
				reason: 'Drifted' as const,
				message: 'mtu is 1500, not 1400',
				drift,
			}))
			return {
				report: reportFor(input, { outcome: 'Failed', reason: 'Drifted', message: 'multinic0: mtu is 1500', interfaces: mine }),
				end: 'Failed',
			}
		})
		const wrong = await multinic('diff worker-1')
		expect(wrong.code).toBe(1)
		expect(wrong.out).toContain('-mtu 1400\n+mtu 1500')
		const { annotations = {} } = (await stage.admin.get(NodeConfig, { name: 'worker-1', namespace })).metadata
		await eventually(() => expect(annotations['multinic.io/verify']).toBeUndefined())
	})

	test('has a plan with commands', async () => {
		const plan = {
			commands: ['ip link set if7 mtu 1400'],
			links: { if7: 'ens7' },
			files: [],
			disruption: { class: 'Blip' as const, because: 'ens7 is up' },
		}
		stage.kubelet.fate('worker-2', input => ({
			report: reportFor(input, input.mode === 'Plan' ? { reason: 'Planned', plan } : {}),
			end: 'Succeeded',
		}))
		const { code, out } = await multinic('plan worker-2')
		expect(code).toBe(0)
		expect(out).toContain('  ip link set if7 mtu 1400\n  (if7 is ens7)\n')
	})

	test('has no log without a kubelet, and shows the report when the pod no longer exists', async () => {
		const { code, err } = await multinic('logs worker-1')
		expect(code).toBe(1) // nothing listens at the address of the node
		expect(err).toMatch(/^error: [^\n]+$/)
		for (const { metadata } of (await stage.admin.list(Pod, { namespace, labelSelector: 'multinic.io/node-name=worker-2' })).items)
			await stage.admin.delete(Pod, { namespace, name: metadata.name }, { graceSeconds: 0 })
		await eventually(async () =>
			expect((await multinic('logs worker-2')).err).toMatch(/^the pod of run \S+ no longer exists; showing its report$/),
		)
	})
})

test('a pod that a kubelet created with the labels of MultiNIC is not read', async () => {
	const labels = { 'multinic.io/node-name': 'worker-1', 'app.kubernetes.io/part-of': 'multinic' }
	const annotations = { 'kubernetes.io/config.mirror': 'a', 'kubernetes.io/config.source': 'file' }
	const spec = { nodeName: 'worker-1', containers: [{ name: 'agent', image: 'a' }] }
	await stage.admin.create(Pod, { metadata: { name: 'forged', namespace, labels, annotations }, spec })
	const named = async (fieldSelector?: string) =>
		(await stage.admin.list(Pod, { namespace, ...(fieldSelector && { fieldSelector }) })).items.map(({ metadata }) => metadata.name)
	expect(await named()).toContain('forged')
	const ofAccounts = await named(OF_ACCOUNTS)
	expect(ofAccounts.filter(name => name.startsWith('multinic-agent-worker-1'))).not.toEqual([])
	expect(ofAccounts).not.toContain('forged')
	await stage.admin.delete(Pod, { name: 'forged', namespace })
})

test('get first names the node that stops the rollout, and pausing that node resumes the rollout', async () => {
	const mtu = (bytes: number) => ({ spec: { interfaces: [{ ...nic, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.10', mtu: bytes }] } })
	const outcome = { outcome: 'RolledBack', reason: 'RolledBack', message: 'the API server could not be reached' } as const
	stage.kubelet.fate('worker-3', input => ({ report: reportFor(input, outcome), end: 'Failed' }))
	expect((await multinic('retry worker-3')).code).toBe(0)
	await eventually(async () =>
		expect((await multinic('get')).out).toMatch(
			/^worker-3 \(RolledBack\) stops the rollout\. To continue without it: kubectl multinic pause worker-3\n/,
		),
	)
	await stage.admin.patch(NodeConfig, { name: 'worker-1', namespace }, mtu(1_300))
	await eventually(async () => expect((await multinic('get worker-1')).out).toContain('It is 1 of 1 in the queue: stopped by worker-3'))
	expect((await multinic('pause worker-3')).code).toBe(0)
	await eventually(async () => expect((await multinic('get worker-1')).code).toBe(0))
	expect((await multinic('get')).out).not.toContain('stops the rollout')
	stage.kubelet.fate('worker-3', input => ({ report: reportFor(input), end: 'Succeeded' }))
	expect((await multinic('resume worker-3')).code).toBe(0)
	await eventually(async () => expect((await multinic('get worker-3')).code).toBe(0))
})

describe('a user with the roles of the documentation', () => {
	const as = async (account: string): Promise<string> => {
		const { stdout: token } = await stage.kubectl('create', 'token', account, '-n', namespace)
		const file = join(dir, `${account}.kubeconfig`)
		const { users, ...rest } = JSON.parse(kubeconfig) as { users: { name: string }[] }
		writeFileSync(file, JSON.stringify({ ...rest, users: users.map(({ name }) => ({ name, user: { token } })) }))
		return file
	}

	beforeAll(async () => {
		const yaml = [...readFileSync('docs/cli.md', 'utf8').matchAll(/<!-- role: \w+ -->\n```yaml\n([^`]*)/g)].map(match => match[1])
		writeFileSync(join(dir, 'roles.yaml'), yaml.join('---\n'))
		await stage.kubectl('apply', '-f', join(dir, 'roles.yaml'))
		for (const account of ['nobody', 'viewer', 'operator']) await stage.kubectl('create', 'serviceaccount', account, '-n', namespace)
		const bind = (kind: string, role: string, account: string) =>
			stage.kubectl(
				'create',
				`${kind}binding`,
				`${account}-${role}`,
				`--${kind}=${role}`,
				`--serviceaccount=${namespace}:${account}`,
				'-n',
				namespace,
			)
		for (const account of ['viewer', 'operator']) {
			await bind('role', 'multinic-viewer', account)
			await bind('clusterrole', 'multinic-viewer', account)
		}
		await bind('role', 'multinic-operator', 'operator')
		const rules = (name: string) => manifests(yaml.join('---\n')).flatMap(one => (one.metadata.name === name ? (one.rules as Rule[]) : []))
		for (const account of ['viewer', 'operator']) await waitForRights(stage.admin, namespace, account, rules('multinic-viewer'))
		await waitForRights(stage.admin, namespace, 'operator', rules('multinic-operator'))
	})

	test('can read everything and create a bundle as viewer, but cannot change anything', async () => {
		const file = await as('viewer')
		const tar = join(dir, 'bundle.tar.gz')
		expect((await multinic('get --kubeconfig', file)).err).toBe('')
		const packed = await multinic('support-bundle --kubeconfig', file, '-o', tar)
		expect(packed.code).toBe(0)
		// no kubelet serves logs, and this single controller needs no Lease
		expect(packed.err.replace(/^warning: (logs\/|lease).*\n?/gm, '')).toBe('')
		const { stdout } = await execa('tar', ['-tzf', tar])
		expect(stdout.split('\n')[0]).toMatch(/\/index\.txt$/)
		expect(await multinic('pause --kubeconfig', file)).toMatchObject({
			code: 1,
			err: `error: user system:serviceaccount:${namespace}:viewer cannot patch configmaps in namespace ${namespace}; ask for a role that allows it`,
		})
	})

	test('has every permission that the commands need as operator', async () => {
		const file = await as('operator')
		for (const line of ['pause', 'resume', 'pause worker-2', 'resume worker-2', 'retry worker-2', 'plan worker-2'])
			expect(await multinic(line, '--kubeconfig', file), line).toMatchObject({ code: 0, err: '' })
	})

	test('gets an error with the verb and the resource without a role', async () => {
		expect(await multinic('get --kubeconfig', await as('nobody'))).toEqual({
			code: 1,
			out: '',
			err: `error: user system:serviceaccount:${namespace}:nobody cannot list multinicnodeconfigs.multinic.io in namespace ${namespace}; ask for a role that allows it`,
		})
	})
})

test('kubectl completes the plugin', async () => {
	const { stdout } = await stage.kubectl('__complete', 'multinic', 'get', 'worker-3', '')
	expect(stdout.split('\n').map(line => line.split('\t')[0])).toEqual(['worker-1', 'worker-2', ':4'])
	expect((await stage.kubectl('__complete', 'multinic', 're')).stdout).toContain('retry\t')
	expect((await stage.kubectl('plugin', 'list')).stdout).toContain(join(dir, 'kubectl-multinic'))
})

test.each<[line: string, code: number, err: RegExp]>([
	['get --nonsense', 2, /^error: unknown option '--nonsense'$/],
	[
		'get nobody',
		1,
		/^error: there is no node config nobody in namespace multinic-system; list them with: kubectl multinic get -n multinic-system$/,
	],
	['get -n elsewhere', 0, /^$/],
	['get --kubeconfig /nowhere', 2, /^error: kubeconfig \/nowhere cannot be read: [^\n]+$/],
	['get --context none', 2, /^error: kubeconfig \S+ has no context none$/],
])('%s exits with %i', async (line, code, err) => {
	expect(await multinic(line)).toMatchObject({ code, err: expect.stringMatching(err) })
})

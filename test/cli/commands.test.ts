import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { NodeConfig } from '../../cli/model/kinds.ts'
import { ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP } from '../../contract/rollout.ts'
import { eventName } from '../../runtime/event-name.ts'
import { ConfigMap, Event, Node } from '../../runtime/kube/kinds.ts'
import { clusterOf, namespace, type Stage, startStage } from './cluster.ts'
import { ago, command, configured, drifted, failed, rolledBack, running, type Told, waiting } from './fixtures.ts'

/** Tests whole command lines against an API server. */

const rollout = { namespace, name: ROLLOUT_CONFIG_MAP }
const pause = { namespace, name: ROLLOUT_PAUSE }

async function fleet(): Promise<Stage> {
	const stage = await startStage()
	stage.put('worker-1', configured, { status: { interfaces: '2/2' } })
	stage.put('worker-2', failed, { status: { interfaces: '1/2' } })
	return stage
}

function writes({ server }: Stage): string[] {
	return server.requests
		.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
		.map(({ verb, plural, name }) => `${verb} ${plural}/${name ?? ''}`)
}

describe('get', () => {
	test('shows the fleet and exits with 1 if a node is not in the desired state', async () => {
		const { cluster } = await fleet()
		expect(await command('get', { cluster })).toEqual({
			code: 1,
			err: '',
			out: `NODE       STATE        INTERFACES   REASON                    AGE
worker-1   Configured   2/2          AllInterfacesConfigured   0s
worker-2   Failed       1/2          PartlyFailed              0s
`,
		})
	})

	test('exits with 0 if the named nodes are in the desired state', async () => {
		const { cluster } = await fleet()
		const { code, out } = await command('get worker-1', { cluster })
		expect(code).toBe(0)
		expect(out).toContain('Nothing. The node matches its node config.')
	})

	test.each<[title: string, over: { name?: string; ago?: number; reason?: string }, isShown: boolean]>([
		['a failed write of the controller that is not in the status', {}, true],
		['a status that the API server rejects', { reason: 'StatusRefused' }, true],
		['an Event that a kubelet created', { name: 'worker-1.uid.write-failed-g3-1.0123456789abcdef' }, false],
		['an Event from before the status was last written', { ago: 61 }, false],
		['an Event with another reason', { reason: 'RunStarted' }, false],
	])('of one node shows %s: $2', async (_, { name, ago: seconds = 30, reason = 'WriteFailed' }, isShown) => {
		const { cluster, server, put } = await startStage()
		const { uid: secret } = server.objects.create(ConfigMap, { metadata: rollout }).metadata
		put('worker-1', configured)
		const { uid = '' } = server.objects.get(NodeConfig, { name: 'worker-1', namespace })?.metadata ?? {}
		const message = 'The controller has failed to write the status since 2026-03-01T11:59:00Z and retries: webhook down'
		server.objects.create(Event, {
			metadata: { name: name ?? eventName('worker-1.write-failed', secret), namespace },
			...{ involvedObject: { kind: 'MultiNicNodeConfig', name: 'worker-1', namespace, uid }, reason, message, lastTimestamp: ago(seconds) },
		})
		const { out } = await command('get worker-1', { cluster })
		expect(out.includes(`Event ${reason}, 30s ago: ${message}\n`)).toBe(isShown)
		if (!isShown) expect(out).not.toContain(message)
	})

	test('shows the queue, with control-plane nodes last', async () => {
		const { cluster, put, server } = await startStage()
		server.objects.create(Node, { metadata: { name: 'a-master', labels: { 'node-role.kubernetes.io/control-plane': '' } } } as never)
		server.objects.create(ConfigMap, { metadata: rollout, data: { maxUnavailable: '1' } })
		put('a-master', waiting)
		put('worker-1', running)
		put('worker-2', waiting)
		const { out } = await command('get', { cluster })
		expect(out).toContain('Rollout: 0 of 3 finished, 1 running, 2 queued: the wave is full (at most 1 node)\n')
		expect(out).toMatch(/^a-master .* Waiting 2 of 2 /m)
		expect(out).toMatch(/^worker-2 .* Waiting 1 of 2 /m)
	})

	test('first names the node that stops the rollout, with the command to continue without it', async () => {
		const { put, server } = await startStage()
		put('worker-1', configured)
		put('worker-2', waiting)
		put('worker-3', rolledBack)
		const get = (line: string) => command(line, { cluster: clusterOf(server.credentials) })
		const { out } = await get('get')
		expect(out.split('\n')[0]).toBe('worker-3 (RolledBack) stops the rollout. To continue without it: kubectl multinic pause worker-3')
		const json = JSON.parse((await get('get -o json')).out)
		expect(json.rollout.stoppedBy).toEqual([{ name: 'worker-3', reason: 'RolledBack' }])
	})

	test('names the node that stops the rollout even while its next run is in progress', async () => {
		const { put, server, cluster } = await startStage()
		put('worker-1', waiting)
		put('worker-2', running)
		const { uid = '' } = server.objects.get(NodeConfig, { name: 'worker-2', namespace })?.metadata ?? {}
		const data = { stops: JSON.stringify([{ name: 'worker-2', uid, stops: 'RolledBack' }]) }
		server.objects.create(ConfigMap, { metadata: { namespace, name: ROLLOUT_STOP }, data })
		expect((await command('get', { cluster })).out.split('\n').slice(0, 2)).toEqual([
			'worker-2 (RolledBack) stops the rollout. To continue without it: kubectl multinic pause worker-2',
			'Rollout: 0 of 2 finished, 1 running, 1 queued: stopped by worker-2: RolledBack, it is being retried',
		])
	})

	test('of one node shows its queue position, even if only a pause delays its repair', async () => {
		const { cluster, put, server } = await startStage()
		server.objects.create(ConfigMap, { metadata: rollout, data: { paused: 'true' } })
		put('worker-1', drifted)
		put('worker-2', drifted)
		expect((await command('get worker-2', { cluster })).out).toContain('It is 2 of 2 in the queue: the rollout is paused')
	})

	test('as JSON prints a list like kubectl, with the rollout added', async () => {
		const { cluster } = await fleet()
		const { out, code } = await command('get -o json', { cluster })
		expect(code).toBe(1)
		expect(JSON.parse(out)).toMatchObject({
			kind: 'List',
			items: [{ kind: 'MultiNicNodeConfig', metadata: { name: 'worker-1' } }, { metadata: { name: 'worker-2' } }],
			rollout: { settled: 2, running: 0, waiting: [] },
		})
	})

	test('of one node as YAML prints the object', async () => {
		const { cluster } = await fleet()
		expect((await command('get worker-1 -o yaml', { cluster })).out).toMatch(/^apiVersion: multinic.io\/v1\nkind: MultiNicNodeConfig\n/)
	})

	test('without node configs names the namespace', async () => {
		const { cluster } = await startStage()
		expect(await command('get', { cluster })).toEqual({
			code: 0,
			err: '',
			out: 'no node configs in namespace multinic-system; use -n for another namespace\n',
		})
	})
})

describe('get -w', () => {
	test('without a terminal prints a line for each change, and no line for unchanged nodes', async () => {
		const { cluster, put, server } = await fleet()
		const stop = new AbortController()
		const told = { out: '' }
		const out = {
			write: (text: string) => {
				told.out += text
				if (told.out.includes('worker-3') && !told.out.includes('Deleted'))
					server.objects.delete(NodeConfig, { name: 'worker-3', namespace })
				if (told.out.includes('Deleted')) stop.abort()
				if (
					told.out.includes('worker-2') &&
					!server.objects.get(NodeConfig, { name: 'worker-3', namespace }) &&
					!told.out.includes('worker-3')
				)
					put('worker-3', running)
			},
			isTerminal: false,
			size: () => ({ columns: 80, rows: 24 }),
		}
		expect((await command('get -w', { cluster, signal: stop.signal, out })).code).toBe(130)
		expect(told.out.split('\n').map(line => line.trim().split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
			'# 2 nodes: 1 Configured, 1 Failed',
			'NODE STATE',
			'worker-1 Configured',
			'worker-2 Failed',
			'worker-3 InProgress',
			'worker-3 Deleted',
			'',
		])
	})

	test('as JSON prints one object per line', async () => {
		const { cluster } = await fleet()
		const stop = new AbortController()
		const lines: string[] = []
		const out = {
			write: (text: string) => {
				lines.push(...text.trim().split('\n'))
				stop.abort()
			},
			isTerminal: false,
			size: () => ({ columns: 80, rows: 24 }),
		}
		await command('get -w -o json', { cluster, signal: stop.signal, out })
		expect(lines.map(line => JSON.parse(line).metadata.name)).toEqual(['worker-1', 'worker-2'])
	})
})

describe('retry', () => {
	test('requests a run, prints the last state and what happens next, and does not request it twice', async () => {
		const stage = await fleet()
		const { cluster, server } = stage
		expect(await command('retry worker-2', { cluster })).toEqual({
			code: 0,
			err: '',
			out: 'worker-2: was Failed (PartlyFailed). A run was requested and starts as soon as possible.\n',
		})
		expect(server.objects.get(NodeConfig, { namespace, name: 'worker-2' })?.metadata.annotations).toEqual({
			'multinic.io/retry': 'fresh-1',
		})
		const again = await command('retry worker-2', { cluster: clusterOf(server.credentials) })
		expect(again.out).toContain('a run was already requested')
		expect(writes(stage)).toEqual(['patch multinicnodeconfigs/worker-2'])
	})

	test('--failed selects the nodes that failed', async () => {
		const stage = await fleet()
		stage.put('worker-3', rolledBack)
		expect((await command('retry --failed', { cluster: stage.cluster })).out.match(/^worker-\d/gm)).toEqual(['worker-2', 'worker-3'])
		expect(writes(stage).sort()).toEqual(['patch multinicnodeconfigs/worker-2', 'patch multinicnodeconfigs/worker-3'])
	})

	test('--failed exits with 0 if no node failed', async () => {
		const { cluster } = await startStage()
		expect(await command('retry --failed', { cluster })).toEqual({ code: 0, err: '', out: 'no failed nodes, nothing to do\n' })
	})

	test('writes nothing if a node does not exist', async () => {
		const stage = await fleet()
		const { code, err } = await command('retry worker-1 worker2', { cluster: stage.cluster })
		expect({ code, err }).toEqual({
			code: 1,
			err: 'error: there is no node config worker2 in namespace multinic-system; did you mean worker-2 or worker-1?\n',
		})
		expect(writes(stage)).toEqual([])
	})
})

describe('pause and resume', () => {
	test('pause and resume a node, and change nothing when repeated', async () => {
		const stage = await fleet()
		const paused = () => stage.server.objects.get(NodeConfig, { namespace, name: 'worker-1' })?.spec?.paused
		const say = async (line: string) => (await command(line, { cluster: clusterOf(stage.server.credentials) })).out
		expect(await say('pause worker-1')).toBe(
			'worker-1: paused (was Configured (AllInterfacesConfigured)). Resume with: kubectl multinic resume worker-1\n',
		)
		expect(paused()).toBe(true)
		expect(await say('pause worker-1')).toContain('already paused')
		expect(await say('resume worker-1')).toBe('worker-1: resumed. The controller continues where it stopped.\n')
		expect(paused()).toBeUndefined()
		expect(await say('resume worker-1')).toContain('not paused')
		expect(writes(stage)).toHaveLength(2)
	})

	test('pause and resume a fleet that was never paused before', async () => {
		const stage = await fleet()
		stage.put('worker-3', waiting)
		stage.put('worker-4', running)
		const say = async (line: string) => (await command(line, { cluster: clusterOf(stage.server.credentials) })).out
		const data = () => stage.server.objects.get(ConfigMap, pause)?.data
		expect(await say('pause')).toBe('rollout paused. 1 run in progress will finish. 1 node queued. Resume with: kubectl multinic resume\n')
		expect(data()).toEqual({ paused: 'true' })
		expect(await say('pause')).toContain('rollout already paused')
		expect(await say('resume')).toBe('rollout resumed. 1 node queued, worker-3 is next.\n')
		expect(data()).toEqual({ paused: 'false' })
		expect(await say('resume')).toContain('rollout not paused')
		const patch = 'patch configmaps/multinic-rollout-pause'
		expect(writes(stage)).toEqual([patch, 'create configmaps/', patch])
	})

	test('pause the fleet without changing the chart settings, which GitOps would revert', async () => {
		const { cluster, server } = await fleet()
		server.objects.create(ConfigMap, { metadata: rollout, data: { maxUnavailable: '3' } })
		await command('pause', { cluster })
		expect(server.objects.get(ConfigMap, rollout)?.data).toEqual({ maxUnavailable: '3' })
		expect((await command('get', { cluster: clusterOf(server.credentials) })).out).toContain('the rollout is paused')
	})

	test('do not resume a fleet that the chart pauses, and name the setting', async () => {
		const { server } = await fleet()
		server.objects.create(ConfigMap, { metadata: rollout, data: { paused: 'true' } })
		const say = async (line: string) => (await command(line, { cluster: clusterOf(server.credentials) })).out
		expect(await say('pause')).toMatch(/^rollout paused, in addition to the chart/)
		expect(await say('resume')).toMatch(/^pause removed, but the chart still pauses the rollout: set rollout.paused to false/)
		expect(await say('resume')).toMatch(/^not paused by kubectl multinic pause, but the chart still pauses the rollout/)
		expect(await say('resume')).toContain(`See: kubectl get configmap multinic-rollout -n ${namespace} -o yaml`)
	})
})

test('history prints the last runs, or that no run has finished', async () => {
	const { cluster, put, server } = await fleet()
	const entry = {
		generation: 1,
		job: 'multinic-agent-worker-3-g1',
		started: '2026-03-01T11:59:00Z',
		seconds: 1.9,
		changes: 9,
		result: 'Configured' as const,
	}
	put('worker-3', configured, { status: { history: [entry] } })
	expect((await command('history worker-3', { cluster })).out).toMatch(/^60s +1 +- +Configured +- +9 +1.9 s +multinic-agent-worker-3-g1$/m)
	const other = { cluster: clusterOf(server.credentials) }
	expect(await command('history worker-1', other)).toEqual({ code: 0, err: '', out: 'no run has finished on worker-1 yet\n' })
})

describe('an error is reported in one sentence', () => {
	test.each<[line: string, err: string]>([
		['gat', "error: unknown command 'gat'\n(Did you mean get?)\n"],
		['get --wide', "error: unknown option '--wide'\n"],
		['get -o xml', "error: option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are json, yaml, wide.\n"],
		['history -o wide w', "error: option '-o, --output <format>' argument 'wide' is invalid. Allowed choices are json, yaml.\n"],
		[
			'get Worker_1',
			'error: command-argument value \'Worker_1\' is invalid for argument \'nodes\'. It must be a Kubernetes node name: lower-case letters, digits, "-" and ".".\n',
		],
		['history', "error: missing required argument 'node'\n"],
		['history a b', "error: too many arguments for 'history'. Expected 1 argument but got 2.\n"],
		[
			'get -n /etc',
			'error: option \'-n, --namespace <name>\' argument \'/etc\' is invalid. It must be the name of a Kubernetes object: lower-case letters, digits, "-" and ".".\n',
		],
		[
			'diff w --timeout never',
			"error: option '--timeout <time>' argument 'never' is invalid. It must be a time from 1s to 24h, such as 120s or 5m.\n",
		],
		[
			'logs w --run A',
			'error: option \'--run <name>\' argument \'A\' is invalid. It must be the name of a Kubernetes object: lower-case letters, digits, "-" and ".".\n',
		],
	])('%s', async (line, err) => {
		expect(await command(line)).toEqual({ code: 2, out: '', err })
	})

	test.each(['retry', 'retry a --failed'])('%s', async line => {
		const { cluster } = await startStage()
		expect(await command(line, { cluster })).toEqual({
			code: 2,
			out: '',
			err: 'error: name at least one node, or use --failed for all nodes that failed\n',
		})
	})

	test.each<[user: string, line: string, err: string]>([
		[
			'nobody',
			'get',
			'user nobody cannot list multinicnodeconfigs.multinic.io in namespace multinic-system; ask for a role that allows it',
		],
		[
			'reader',
			'retry worker-1',
			'worker-1: user reader cannot patch multinicnodeconfigs.multinic.io in namespace multinic-system; ask for a role that allows it',
		],
		['reader', 'pause', 'user reader cannot patch configmaps in namespace multinic-system; ask for a role that allows it'],
	])('%s without permission: %s', async (user, line, err) => {
		const { server, put } = await startStage({ allows: (who, { verb }) => who === 'reader' && ['get', 'list', 'watch'].includes(verb) })
		put('worker-1', configured)
		const { code, err: said } = await command(line, { cluster: clusterOf(server.credentialsOf(user)) })
		expect({ code, said }).toEqual({ code: 1, said: `error: ${err}\n` })
	})

	test('a user who may read only node configs gets the table and the message of the controller about the queue', async () => {
		const { server, put } = await startStage({ allows: (_, { plural }) => plural === 'multinicnodeconfigs' })
		put('worker-1', waiting)
		const { out, err } = await command('get', { cluster: clusterOf(server.credentialsOf('narrow')) })
		expect(out).toContain('queued: The wave is full\n')
		expect(err).toBe('')
	})

	test('an invalid token is reported', async () => {
		const { server } = await startStage()
		const credentials = { ...server.credentials, headers: async () => ({ authorization: 'Bearer stale' }) }
		const { code, err } = await command('get', { cluster: clusterOf(credentials) })
		expect({ code, err }).toEqual({
			code: 1,
			err: 'error: Unauthorized: the token or client certificate in the kubeconfig is invalid or expired\n',
		})
	})

	test('a cluster without MultiNIC is reported', async () => {
		const { server } = await startStage()
		server.onRequest(({ plural }) =>
			plural === 'multinicnodeconfigs' ? { fault: 'answer', status: 404, body: '404 page not found' } : undefined,
		)
		const { code, err } = await command('get worker-1', { cluster: clusterOf(server.credentials) })
		expect({ code, err }).toEqual({
			code: 1,
			err: 'error: MultiNIC is not installed in this cluster (resource multinicnodeconfigs not found); check --context\n',
		})
	})

	test('an unreachable server is reported', async () => {
		const credentials = { server: `http://127.0.0.1:${await unusedPort()}`, tls: {}, headers: async () => ({}) }
		const { code, err } = await command('get', { cluster: clusterOf(credentials) })
		expect(code).toBe(1)
		expect(err).toBe(`error: ${credentials.server} cannot be reached: connect ECONNREFUSED ${credentials.server.slice(7)}\n`)
	})

	test('a bug is reported as a bug, and its stack is printed only with MULTINIC_DEBUG', async () => {
		const broken = { client: undefined } as never
		const bug = (env: Record<string, string>): Promise<Told> => command('get', { cluster: broken, env })
		expect((await bug({})).err).toMatch(/^error: [^\n]+\nThis is a bug\. Set MULTINIC_DEBUG=1 to print the stack trace\.\n$/)
		expect((await bug({ MULTINIC_DEBUG: '1' })).err).toContain('at ')
	})
})

describe('help and version', () => {
	test.each(['--help', 'help', 'get --help', 'help get', 'pause -h', '--version', 'get --version'])('%s', async line => {
		const { code, out, err } = await command(line)
		expect({ code, err }).toEqual({ code: 0, err: '' })
		expect(out).toMatch(/^(Usage: kubectl multinic|\d+\.\d+\.\d+\n)/)
	})

	test('an empty command line is a usage error and prints the help', async () => {
		const { code, out, err } = await command('')
		expect({ code, out }).toEqual({ code: 2, out: '' })
		expect(err).toMatch(/^Usage: /)
	})
})

async function unusedPort(): Promise<number> {
	const server = createServer()
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	const { port } = server.address() as { port: number }
	await new Promise(resolve => server.close(resolve))
	return port
}

describe('without a controller', () => {
	test.each<[line: string, lease: object, err: string]>([
		['get', {}, 'warning: no controller holds Lease multinic-controller; check that it is running:'],
		['get worker-1', { holderIdentity: 'a', renewTime: ago(600) }, 'warning: Lease multinic-controller was renewed 10m ago;'],
		['retry worker-2', {}, 'warning: no controller holds Lease multinic-controller;'],
		['resume worker-2', {}, 'warning: no controller holds Lease multinic-controller;'],
		['get -o json', {}, 'warning: no controller holds Lease multinic-controller;'],
	])('%s warns that no controller is running', async (line, lease, err) => {
		const { cluster, put } = await startStage({ lease })
		put('worker-1', configured)
		put('worker-2', failed)
		expect((await command(line, { cluster })).err).toContain(err)
	})

	test.each(['get', 'retry worker-1'])('%s does not warn a user who may not read Leases', async line => {
		const stage = await startStage({ lease: {}, allows: (_, { plural }) => plural !== 'leases' })
		stage.put('worker-1', configured)
		expect((await command(line, { cluster: clusterOf(stage.server.credentialsOf('somebody')) })).err).toBe('')
	})
})

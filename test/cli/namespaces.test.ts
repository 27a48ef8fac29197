import { describe, expect, test } from 'vitest'
import { NodeConfig } from '../../cli/model/kinds.ts'
import { ConfigMap, Lease, Namespace } from '../../runtime/kube/kinds.ts'
import { clusterOf, held, namespace, type Stage, startStage } from './cluster.ts'
import { command, configured } from './fixtures.ts'

/** Tests node configs in another namespace than MultiNIC, and a namespace that is being deleted. */

function putElsewhere({ server: { objects } }: Stage, where: string, ...names: string[]): void {
	if (where !== 'default') objects.create(Namespace, { metadata: { name: where } })
	for (const name of names)
		objects.create(NodeConfig, {
			metadata: { name, namespace: where },
			spec: { nodeName: name, interfaces: [{ id: 0, macAddress: 'fa:16:3e:37:c3:f1' }] } as never,
		})
}

const own = 'A controller only reads node configs in its own namespace.'
const patch = (name: string) => `kubectl patch mnnc ${name} -n ${namespace} --type=merge -p '{"metadata":{"finalizers":null}}'`

describe('a node config in another namespace', () => {
	test.each<[line: string, out: string]>([
		[
			'get',
			`no node configs in namespace multinic-system; use -n for another namespace
namespace apps has 1: kubectl multinic get -n apps
namespace default has 2: kubectl multinic get -n default
${own}
`,
		],
		[
			'get -n gone',
			`no node configs in namespace gone (no such namespace); use -n for another namespace
namespace apps has 1: kubectl multinic get -n apps
namespace default has 2: kubectl multinic get -n default
${own}
`,
		],
	])('%s lists the namespaces with node configs', async (line, out) => {
		const stage = await startStage()
		putElsewhere(stage, 'default', 'worker-1', 'worker-2')
		putElsewhere(stage, 'apps', 'worker-3')
		const { namespace: _, ...cluster } = stage.cluster // the flags set it
		expect(await command(line, { cluster })).toEqual({ code: 0, err: '', out })
	})

	test('has the given namespace in suggested commands, while JSON stays unchanged', async () => {
		const stage = await startStage()
		putElsewhere(stage, 'apps', 'worker-3')
		stage.server.objects.create(ConfigMap, { metadata: { name: 'multinic-rollout', namespace: 'apps' }, data: {} })
		stage.server.objects.create(Lease, { metadata: { name: 'multinic-controller', namespace: 'apps' }, spec: held } as never)
		const say = async (line: string) => {
			const { namespace: _, ...cluster } = clusterOf(stage.server.credentials) // the flags set it
			const { out, err } = await command(line, { cluster })
			return out + err
		}
		expect(await say('pause -n apps')).toBe('rollout paused. Resume with: kubectl multinic -n apps resume\n')
		expect(await say('pause worker-3 -n apps')).toContain('Resume with: kubectl multinic -n apps resume worker-3\n')
		expect(await say('diff worker-3 -n apps')).toContain('Resume with: kubectl multinic -n apps resume worker-3\n')
		expect(await say('get -n apps -o json')).not.toContain('kubectl multinic -n')
	})

	test.each([
		'get worker-9',
		'get worker-1 worker-9',
		'get -w worker-9',
		'retry worker-9',
		'pause worker-9',
		'logs worker-9',
		'diff worker-9',
		'history worker-9',
	])('%s names the namespace', async line => {
		const stage = await startStage()
		stage.put('worker-1', configured)
		putElsewhere(stage, 'default', 'worker-9')
		expect(await command(line, { cluster: stage.cluster })).toEqual({
			code: 1,
			out: '',
			err: `error: there is no node config worker-9 in namespace multinic-system, but there is one in namespace default. ${own} Use -n default if MultiNIC is installed there, otherwise create the node config in multinic-system\n`,
		})
	})

	test('is not shown to a user who may not list it', async () => {
		const stage = await startStage({ allows: (_, { namespace: where }) => where === namespace })
		putElsewhere(stage, 'default', 'worker-9')
		const cluster = () => clusterOf(stage.server.credentialsOf('somebody'))
		expect(await command('get', { cluster: cluster() })).toEqual({
			code: 0,
			err: '',
			out: 'no node configs in namespace multinic-system; use -n for another namespace\n',
		})
		expect((await command('get worker-9', { cluster: cluster() })).err).toBe(
			'error: there is no node config worker-9 in namespace multinic-system; list them with: kubectl multinic get -n multinic-system\n',
		)
	})
})

describe('a namespace without MultiNIC', () => {
	test.each(['pause', 'resume'])('%s changes nothing and names a namespace with node configs', async line => {
		const stage = await startStage()
		putElsewhere(stage, 'apps', 'worker-1', 'worker-2')
		expect(await command(line, { cluster: stage.cluster })).toEqual({
			code: 1,
			out: '',
			err: 'error: MultiNIC is not installed in namespace multinic-system, so nothing was changed: the namespace has neither a node config nor ConfigMap multinic-rollout; use -n for another namespace; namespace apps has 2 node configs\n',
		})
		expect(stage.server.objects.get(ConfigMap, { name: 'multinic-rollout-pause', namespace })).toBeUndefined()
	})

	test('can be paused before it has a node config if MultiNIC is installed in it', async () => {
		const { cluster, server } = await startStage()
		server.objects.create(ConfigMap, { metadata: { name: 'multinic-rollout', namespace } })
		expect(await command('pause', { cluster })).toMatchObject({ code: 0, err: '' })
	})
})

describe('a namespace that is being deleted', () => {
	async function going(): Promise<Stage> {
		const stage = await startStage()
		const { objects } = stage.server
		stage.put('worker-1', configured)
		objects.patch(NodeConfig, { name: 'worker-1', namespace }, { metadata: { finalizers: ['multinic.io/cleanup'] } })
		objects.delete(NodeConfig, { name: 'worker-1', namespace })
		objects.patch(Namespace, { name: namespace }, { spec: { finalizers: ['kubernetes'] } })
		objects.delete(Namespace, { name: namespace })
		return stage
	}

	const warning = `warning: namespace ${namespace} is being deleted. No run can start in it, so no node is restored, and the namespace cannot be removed while node configs wait for that. To see how to release one: kubectl multinic get NODE -n ${namespace}\n`

	test.each(['get', 'get worker-1'])('%s prints a warning', async line => {
		const { cluster } = await going()
		expect(await command(line, { cluster })).toMatchObject({ code: 1, err: warning })
	})

	test('get NODE shows how to remove the node config', async () => {
		const { cluster } = await going()
		expect((await command('get worker-1', { cluster })).out).toContain(
			`It is being deleted with its namespace, and no run can start there. To remove it without restoring the node: ${patch('worker-1')}\n`,
		)
	})

	test('an object that cannot be created is reported', async () => {
		const { cluster, server } = await going()
		server.onRequest(({ verb, plural, name }) =>
			plural === 'configmaps' && verb === 'patch' && name === 'multinic-rollout-pause'
				? { fault: 'answer', status: 404, body: '{}' }
				: undefined,
		)
		expect(await command('pause', { cluster })).toEqual({
			code: 1,
			out: '',
			err: `error: namespace ${namespace} is being deleted, so configmaps "multinic-rollout-pause" cannot be created in it; install MultiNIC again after the deletion\n`,
		})
	})

	test('a node config that is deleted without its namespace is shown without a warning', async () => {
		const { cluster, put, server } = await startStage()
		put('worker-1', configured)
		server.objects.patch(NodeConfig, { name: 'worker-1', namespace }, { metadata: { finalizers: ['multinic.io/cleanup'] } })
		server.objects.delete(NodeConfig, { name: 'worker-1', namespace })
		const { out, err } = await command('get worker-1', { cluster })
		expect({ out, err }).toEqual({ out: expect.stringContaining('A last run restores the node'), err: '' })
	})
})

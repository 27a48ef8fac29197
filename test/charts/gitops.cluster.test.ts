import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { differences } from './differences.ts'
import { type Cluster, chart, type Manifest, manifests, startCluster } from './release.ts'

/**
 * Renders, applies, reads back and compares the chart. kubectl apply computes the same three-way patch as Argo CD, with the same library:
 * "unchanged" means that it is empty.
 */
const namespace = 'multinic-system'
const subjects = [
	{ kind: 'ServiceAccount', name: 'viola', namespace: 'default' },
	{ kind: 'User', name: 'someone' },
	{ kind: 'Group', name: 'operators' },
]
const everything = [
	...[
		'--set',
		'dashboards.enabled=true,imagePullSecrets[0].name=pull,controller.replicas=2,controller.priorityClassName=system-node-critical',
	],
	...['--set-json', `specWriters=${JSON.stringify(subjects)}`],
	...['--set-json', 'controller.nodeSelector={"a":"b"}'],
	...['--set-json', 'controller.tolerations=[{"key":"a","operator":"Exists","effect":"NoExecute","tolerationSeconds":9}]'],
	...['--set-json', `controller.affinity=${JSON.stringify(affinity())}`],
	...['--set-json', 'agent.resources={"requests":{"cpu":0.5},"limits":{"memory":"1e9"}}'],
	...['--set-json', 'agent.podLabels={"team":"network"}'],
	...['--set-json', 'agent.podAnnotations={"odd":"$(NAMESPACE) \\"q\\" é\\n"}'],
	...['--set-json', 'agent.tolerations=[]'],
	...['--set', 'agent.priorityClassName=system-node-critical'],
]

let cluster: Cluster
beforeAll(async () => {
	cluster = await startCluster()
	await cluster.kubectl(['create', 'namespace', namespace])
}, 120_000)
afterAll(() => cluster?.stop())

describe.each([
	['default values', []],
	['hardened mode and onUninstall=Restore', ['--set', 'agent.privileged=false,onUninstall=Restore']],
	['all values set', everything],
])('with %s', (_, values) => {
	let rendered: Manifest[]

	beforeAll(async () => {
		const { all, exitCode } = await cluster.helm('template', 'multinic', chart, '-n', namespace, ...values)
		expect(exitCode, all).toBe(0)
		rendered = manifests(all)
		const jobs = rendered.filter(({ kind }) => kind === 'Job') // the template of a Job is immutable
		await cluster.kubectl(['delete', '--ignore-not-found', '-f', '-'], jobs)
		expect((await apply(rendered)).all).not.toMatch(/[Ww]arning|[Ee]rror/)
	})

	test('a second apply changes nothing', async () => {
		const { all, exitCode } = await apply(rendered)
		expect(exitCode, all).toBe(0)
		const lines = all.trim().split('\n')
		expect(lines.filter(line => !line.endsWith(' unchanged'))).toEqual([])
		expect(lines).toHaveLength(rendered.length)
	})

	test('server-side apply of the same objects by two field managers causes no conflict', async () => {
		const applied = (tool: string) =>
			cluster.kubectl(['apply', '--server-side', '--dry-run=server', '--field-manager', tool, '-n', namespace, '-f', '-'], rendered)
		const { all, exitCode } = await applied('another-tool')
		expect(exitCode, all).toBe(0)
	})

	test('every object contains what was rendered, unchanged', async () => {
		const { all } = await cluster.kubectl(['get', '-o', 'json', '-n', namespace, '-f', '-'], rendered)
		const { items } = JSON.parse(all) as { items: Manifest[] }
		const missing = rendered.flatMap((one, at) => differences(one, items[at], `${one.kind}/${one.metadata.name}`))
		expect(missing).toEqual([])
		expect(items).toHaveLength(rendered.length)
	})
})

const apply = (objects: readonly Manifest[]) => cluster.kubectl(['apply', '-n', namespace, '-f', '-'], objects)

function affinity(): object {
	const podAffinityTerm = {
		topologyKey: 'kubernetes.io/hostname',
		labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'multinic-controller' } },
	}
	const matchExpressions = [{ key: 'zone', operator: 'In', values: ['a', 'b'] }]
	return {
		nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
		podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 9, podAffinityTerm }] },
	}
}

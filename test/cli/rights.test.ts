import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { CustomResourceDefinition, Node, ConfigMap } from '../../runtime/kube/kinds.ts'
import type { ApiRequest } from '../runtime/fake-api-server/request.ts'
import { clusterOf, namespace, putRunPod, type Stage, startStage } from './cluster.ts'
import { command, failed, waiting } from './fixtures.ts'

/** Tests that the roles of docs/cli.md suffice for their documented purpose. */

type Rule = { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }

function rulesOf(role: string): Rule[] {
	const block = new RegExp(`<!-- role: ${role} -->\n\`\`\`yaml\n([^\`]*)`).exec(readFileSync('docs/cli.md', 'utf8'))?.[1] ?? ''
	return parseAllDocuments(block).flatMap(document => (document.toJS() as { rules: Rule[] }).rules)
}

function grants({ apiGroups, resources, verbs, resourceNames }: Rule, { group, plural, subresource, verb, name }: ApiRequest): boolean {
	const resource = subresource === undefined ? plural : `${plural}/${subresource}`
	return (
		apiGroups.includes(group) &&
		resources.includes(resource ?? '') &&
		verbs.includes(verb === 'apply' ? 'patch' : verb) &&
		(resourceNames === undefined || resourceNames.includes(name ?? ''))
	)
}

/** Starts a cluster with an object of every kind, and a client with the roles. */
async function stageFor(rules: readonly Rule[]): Promise<Stage & { somebody: () => ReturnType<typeof clusterOf> }> {
	const stage = await startStage({
		allows: (_, request) => rules.some(rule => grants(rule, request)),
	})
	const { objects } = stage.server
	const labels = { 'app.kubernetes.io/part-of': 'multinic' }
	stage.put('worker-1', failed)
	stage.put('worker-2', waiting)
	objects.create(Node, { metadata: { name: 'worker-1' } })
	objects.create(ConfigMap, { metadata: { name: 'multinic-rollout', namespace }, data: {} })
	putRunPod(stage, {
		node: 'worker-1',
		name: 'run-1-a',
		labels,
		status: { containerStatuses: [{ name: 'agent', state: { running: {} } }] },
	})
	expect(objects.list(CustomResourceDefinition)).toHaveLength(1)
	return { ...stage, somebody: () => clusterOf(stage.server.credentialsOf('somebody')) }
}

const file = join(tmpdir(), `multinic-rights-${process.pid}.tar.gz`)
const looking = ['get', 'get worker-1', 'get -o json', 'history worker-1', `support-bundle -o ${file}`]
const acting = [
	'retry worker-1',
	'retry --failed',
	'pause',
	'resume',
	'pause worker-1',
	'resume worker-1',
	'diff worker-1 --timeout 2s',
	'plan worker-1 --timeout 2s',
]

describe.each([
	['viewer', looking, rulesOf('viewer')],
	['operator', [...looking, ...acting], [...rulesOf('viewer'), ...rulesOf('operator')]],
] as const)('the %s', (_, lines, rules) => {
	test('has every permission that its commands need', async () => {
		const { somebody, server } = await stageFor(rules)
		// the fake API server has no logs, but requests for them pass the same authorization
		const said = []
		for (const line of lines) said.push((await command(line, { cluster: somebody(), now: clock() })).err)
		rmSync(file, { force: true })
		expect(said.join('')).not.toMatch(/cannot|forbidden/)
		expect(server.requests.filter(({ status }) => status === 403)).toEqual([])
	})
})

test('the viewer may not run any command that changes something', async () => {
	const { somebody } = await stageFor(rulesOf('viewer'))
	for (const line of acting.filter(one => !one.startsWith('resume')))
		expect(await command(line, { cluster: somebody(), now: clock() })).toMatchObject({
			code: 1,
			err: expect.stringContaining('cannot patch'),
		})
})

/** Returns a clock that advances 1 s on every reading, so the test does not wait for a run that never answers. */
function clock(): () => number {
	let at = Date.parse('2026-03-01T12:00:00Z')
	return () => {
		at += 1_000
		return at
	}
}

import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { nodeConfigCrd, openstackConfigCrd } from '../../contract/crds.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'

/** The responses of an API server, one for each read; the last one repeats. */
type Reading = { crd?: object | undefined; lists?: string[] }

const name = 'multinicnodeconfigs.multinic.io'
const established = { conditions: [condition('NamesAccepted'), condition('Established')] }
const both = ['v1', 'v1alpha1']
const served: Reading = { crd: { status: established }, lists: both }

describe('waitForCrds waits for a CRD while', () => {
	test.each<[title: string, early: Reading]>([
		['it does not exist', {}],
		['it has no status', { crd: {} }],
		['its status is empty', { crd: { status: {} } }],
		[
			'its conditions are null, as in the first response of an API server',
			{ crd: { status: { conditions: null, storedVersions: ['v1'] } } },
		],
		['it has no conditions', { crd: { status: { conditions: [] } } }],
		['its names are accepted but it is not established', { crd: { status: { conditions: [condition('NamesAccepted')] } } }],
		[
			'it is not established because it is new',
			{ crd: { status: { conditions: [condition('NamesAccepted'), condition('Established', 'False')] } } },
		],
		['discovery does not list its group', { crd: { status: established } }],
		['discovery lists one of its two versions', { crd: { status: established }, lists: ['v1'] }],
	])('%s', async (_, early) => {
		const { client, count } = server([early, early, served])
		await waitForCrds(client, [nodeConfigCrd], { everyMs: 1 })
		expect(count()).toBe(3)
		await expect(waitForCrds(server([early]).client, [nodeConfigCrd], { everyMs: 1, withinMs: 5 })).rejects.toThrow(name)
	})
})

test('waitForCrds does not wait for a CRD that is served', async () => {
	const { client, count } = server([served])
	await waitForCrds(client, [nodeConfigCrd], { withinMs: 0 })
	expect(count()).toBe(1)
})

test('waitForCrds waits for each of several CRDs', async () => {
	await expect(waitForCrds(server([served]).client, [nodeConfigCrd, openstackConfigCrd], { withinMs: 0 })).rejects.toThrow(
		'CRD openstackconfigs.multinic.example.com was not served within 0 s: discovery does not list multinic.example.com/v1alpha1 openstackconfigs yet',
	)
})

describe('a wait that times out reports', () => {
	test.each<[title: string, reading: Reading, words: string]>([
		['that the CRD does not exist', {}, 'there is no such CRD'],
		['that the CRD has no status', { crd: { status: { conditions: null } } }, 'the API server has not written its status yet'],
		[
			'which name is in use',
			{ crd: { status: { conditions: [condition('NamesAccepted', 'False')] } } },
			'NamesAccepted is False: "mnnc" is in use',
		],
		[
			'which version discovery does not list',
			{ crd: { status: established } },
			'discovery does not list multinic.io/v1 multinicnodeconfigs yet',
		],
	])('%s', async (_, reading, words) => {
		await expect(waitForCrds(server([reading]).client, [nodeConfigCrd], { withinMs: 0 })).rejects.toThrow(
			`CRD ${name} was not served within 0 s: ${words}. \`kubectl get crd ${name} -o yaml\` shows its status`,
		)
	})
})

test('no file uses kubectl to wait for a CRD, because kubectl fails while the CRD has no status', () => {
	const own = ['lab/cluster/wait-for-crds.ts', 'test/lab/wait-for-crds.test.ts']
	const texts = globSync(['README.md', 'CONTRIBUTING.md', 'docs/**/*.md', '{lab,test,bench,release,charts}/**/*.{ts,sh,yaml,txt}'])
	const byKubectl = texts.filter(path => !own.includes(path) && readFileSync(path, 'utf8').includes('condition=Established'))
	expect(byKubectl).toEqual([])
})

function condition(type: string, status = 'True') {
	return { type, status, reason: 'any', message: status === 'True' ? '' : '"mnnc" is in use', lastTransitionTime: '2026-01-01T00:00:00Z' }
}

function server(readings: readonly Reading[]) {
	let read = 0
	const now = () => readings[Math.min(read, readings.length) - 1] ?? {}
	const find = async () => {
		read++
		return now().crd
	}
	const raw = async () => ({ items: now().lists ? [{ metadata: { name: 'multinic.io' }, versions: now().lists?.map(listed) }] : [] })
	return { client: { find, raw } as unknown as KubeClient, count: () => read }
}

function listed(version: string) {
	return { version, resources: [{ resource: 'multinicnodeconfigs' }] }
}

import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { startApiServer } from '../../lab/cluster/api-server.ts'
import { createInventoryApi } from '../../mgmt/api/server.ts'
import { openInventory } from '../../mgmt/inventory/open.ts'
import { createAuth } from '../../runtime/auth/auth.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { createLog, type Log } from '../../runtime/log.ts'
import { type Cluster, openCluster } from '../../viola/cluster/cluster.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { createViola } from '../../viola/routes/routes.ts'
import { route } from '../../viola/targets/routing.ts'
import { putCrds } from '../mgmt/cluster.ts'
import { nics, reported, sent, viewIn } from '../mgmt/inventory/samples.ts'
import { sourcesWith } from '../viola/targets/targets.ts'
import { runSchemathesis } from './schemathesis.ts'
import { serve } from '../runtime/serve.ts'

/** Both servers satisfy their OpenAPI documents, for generated valid and invalid requests. */

const token = 'the-token'
const auth = createAuth({ token: () => token })
const rate = { max: 1e9, timeWindow: 1_000 }

/** A log whose lines are kept. */
function keptLog(): { log: Log; lines: Record<string, unknown>[] } {
	const lines: Record<string, unknown>[] = []
	return { log: createLog('test', { to: { write: line => void lines.push(JSON.parse(line)) } }), lines }
}

test('the inventory API, with a database', async () => {
	const { log, lines } = keptLog()
	const inventory = openInventory({ use: 'sqlite', sqlite: { path: ':memory:' } }, { log })
	await inventory.opened
	onTestFinished(() => inventory.close())
	inventory.lead()
	await inventory.record([
		sent(1, nics(1, 2)),
		sent(2, nics(2, 1)),
		sent(1, nics(3, 1), { providerId: 'biz-2' }),
		reported(viewIn('Configured', 1, nics(1, 2))),
	])
	const address = await serve(createInventoryApi({ inventory, auth, log, now: () => Date.now(), rate }))
	const { exitCode, output } = await runSchemathesis({ address, token, settings: existing, seed: inject('seed') })
	expect(exitCode, output).toBe(0)
	expect(lines.filter(({ level }) => level === 'error')).toEqual([])
})

/** Half of the requests name something that exists. */
const existing = `
[dictionaries]
providers.values = ["biz-1", "biz-2"]
nodes.values = ["worker-1", "worker-2"]
ports.values = ["port-1-0", "port-2-0"]
instances.values = ["vm-1", "vm-2"]
[parameters]
"query.providerId" = { dictionary = "providers", probability = 0.5 }
"path.nodeName" = { dictionary = "nodes", probability = 0.5 }
"path.portId" = { dictionary = "ports", probability = 0.5 }
"path.instanceId" = { dictionary = "instances", probability = 0.5 }
`

test('viola, in front of an API server', async () => {
	const { log, lines } = keptLog()
	const api = await startApiServer()
	onTestFinished(() => api.stop())
	const credentials = await loadCredentials({ kubeconfig: api.kubeconfig }, {})
	const client = new KubeClient(credentials, { fieldManager: 'test' })
	onTestFinished(() => client.close())
	await putCrds(client)
	const cluster = openCluster({ providerId: 'biz', namespace: 'default', credentials, log })
	onTestFinished(() => cluster.close())
	await vi.waitFor(() => expect(cluster.isSynced()).toBe(true), { timeout: 60_000, interval: 20 })
	const targets = sourcesWith(['biz'])
	const settled = settling(cluster, client)
	const clusterOf = async (id: string | undefined) => {
		route(targets, id)
		return settled
	}
	const address = await serve(createViola({ auth, clusterOf, log, rate }))
	const { exitCode, output } = await runSchemathesis({ address, token, settings: ofPost, seed: inject('seed') })
	expect(exitCode, output).toBe(0)
	expect(lines.filter(({ level }) => level === 'error')).toEqual([])
	expect(appliedIn(lines)).toEqual(expect.arrayContaining(['created', 'unchanged']))
	expect(codesOf(lines)).toContain('Invalid')
	expect(codesOf(lines).filter(code => !['Invalid', 'Duplicate', 'Refused'].includes(code))).toEqual([])
})

/**
 * A cluster whose controller has nothing to restore, so that a deletion is complete when the DELETE ends. Otherwise a GET would still show the
 * node config with `deleting: true`, as documented, which the check use_after_free reports. Therefore no node config of this test is
 * terminating; `test/viola/viola.cluster.test.ts` covers those.
 */
function settling(cluster: Cluster, client: KubeClient): Cluster {
	return {
		...cluster,
		async remove(name) {
			const at = { namespace: cluster.namespace, name }
			if (await client.find(NodeConfigKind, at)) await client.patch(NodeConfigKind, at, { metadata: { finalizers: null } })
			return cluster.remove(name)
		},
	}
}

type Posts = { results: Record<string, number>; errors: { code: string }[] }[]

function postsIn(lines: readonly Record<string, unknown>[]): Posts {
	return lines.filter(({ msg }) => msg === 'POST finished') as Posts
}

/** @returns what POSTs did to nodes, without repetition */
function appliedIn(lines: readonly Record<string, unknown>[]): string[] {
	return [...new Set(postsIn(lines).flatMap(({ results }) => Object.keys(results)))]
}

/** @returns the codes of all nodes that POSTs did not apply, without repetition */
function codesOf(lines: readonly Record<string, unknown>[]): string[] {
	return [...new Set(postsIn(lines).flatMap(({ errors }) => errors.map(({ code }) => code)))]
}

/** A JSON schema cannot say that a MAC is unique, or that an address is inside its cidr: such a body is valid, and answered with 422. */
const ofPost = `
[dictionaries]
providers.values = ["biz"]
[parameters]
"header.x-provider-id" = { dictionary = "providers", probability = 0.9 }
[[operations]]
include-method = "POST"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 422, 429, "5xx"]
`

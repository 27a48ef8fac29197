import type { FastifyInstance } from 'fastify'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { startApiServer } from '../../lab/cluster/api-server.ts'
import { createInventoryApi } from '../../mgmt/api/server.ts'
import { openInventory } from '../../mgmt/inventory/open.ts'
import { createAuth } from '../../runtime/auth/auth.ts'
import { listen } from '../../runtime/http-server.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { createLog, type Log } from '../../runtime/log.ts'
import { openCluster } from '../../viola/cluster/cluster.ts'
import { createViola } from '../../viola/routes/routes.ts'
import { route } from '../../viola/targets/routing.ts'
import { putCrds } from '../mgmt/cluster.ts'
import { nics, reported, sent, viewIn } from '../mgmt/inventory/samples.ts'
import { sourcesWith } from '../viola/targets/targets.ts'
import { runSchemathesis } from './schemathesis.ts'

/** Both servers satisfy their OpenAPI documents, for generated valid and invalid requests. */

const token = 'the-token'
const auth = createAuth({ token: () => token })
const rate = { max: 1e9, timeWindow: 1_000 }

/** A log whose lines are kept. */
function keptLog(): { log: Log; lines: Record<string, unknown>[] } {
	const lines: Record<string, unknown>[] = []
	return { log: createLog('test', { to: { write: line => void lines.push(JSON.parse(line)) } }), lines }
}

async function serve(app: FastifyInstance): Promise<string> {
	const end = new AbortController()
	const { address, closed } = await listen(app, { host: '127.0.0.1', port: 0 }, end.signal)
	onTestFinished(async () => {
		end.abort()
		await closed
	})
	return address
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
	const clusterOf = async (id: string | undefined) => {
		route(targets, id)
		return cluster
	}
	const address = await serve(createViola({ auth, clusterOf, log, rate }))
	const { exitCode, output } = await runSchemathesis({ address, token, settings: ofPost, seed: inject('seed') })
	expect(exitCode, output).toBe(0)
	expect(lines.filter(({ level }) => level === 'error')).toEqual([])
	expect(codesOf(lines)).toEqual(expect.arrayContaining(['Invalid']))
	expect(codesOf(lines).filter(code => !['Invalid', 'Duplicate', 'Refused', 'Terminating'].includes(code))).toEqual([])
})

/** @returns the codes of all nodes that POSTs did not apply */
function codesOf(lines: readonly Record<string, unknown>[]): string[] {
	const posts = lines.filter(({ msg }) => msg === 'POST finished') as { errors: { code: string }[] }[]
	return [...new Set(posts.flatMap(({ errors }) => errors.map(({ code }) => code)))]
}

/**
 * A JSON schema cannot say that a MAC is unique, or that an address is inside its cidr: 422. A node config without a controller stays
 * terminating after a DELETE, which is retryable: 503. The test checks that no other node error causes a 503.
 */
const ofPost = `
[dictionaries]
providers.values = ["biz"]
[parameters]
"header.x-provider-id" = { dictionary = "providers", probability = 0.9 }
[[operations]]
include-method = "POST"
checks.positive_data_acceptance.expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 422, 429, "5xx"]
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]
`

import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { NODE_CONFIGS_PATH, type NodeConfigsResponse } from '../../contract/viola-api.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import type { Credentials } from '../../runtime/kube/kubeconfig/credentials.ts'
import { createLog } from '../../runtime/log.ts'
import { openCluster } from '../../viola/cluster/cluster.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { createViola } from '../../viola/routes/routes.ts'
import { putCrds } from '../mgmt/cluster.ts'

/** Many clients that write the same nodes concurrently, through one viola or several, into a real API server. */

const CLIENTS = 50
const ROUNDS = 4
const NODES = 20
const namespace = 'default'
const headers = { authorization: 'Bearer t', 'x-provider-id': 'biz', 'content-type': 'application/json' }
const log = createLog('viola', { level: 'silent' })
let api: ApiServer
let credentials: Credentials
let client: KubeClient

beforeAll(async () => {
	api = await startApiServer()
	credentials = await loadCredentials({ kubeconfig: api.kubeconfig }, {})
	client = new KubeClient(credentials, { fieldManager: 'test' })
	await putCrds(client)
})
afterAll(async () => {
	await client?.close()
	await api?.stop()
})

/** One finished POST of a node. Times are positions in one sequence. */
type Post = { began: number; ended: number; mtu: number; status: string }

/** Starts a viola, and counts its requests by verb and status code. */
async function startViola() {
	const calls: string[] = []
	const onCall = ({ verb, code }: { verb: string; code: string }) => void calls.push(`${verb} ${code}`)
	const cluster = openCluster({ providerId: 'biz', namespace, credentials, log, onCall })
	const app = createViola({ token: () => 't', clusterOf: async () => cluster, log, postMs: 600_000 })
	onTestFinished(async () => {
		await app.close()
		await cluster.close()
	})
	await expect.poll(() => cluster.isSynced()).toBe(true)
	return { app, count: (call: RegExp) => calls.filter(one => call.test(one)).length }
}

function recorder(prefix: string) {
	const posts = new Map<string, Post[]>()
	let clock = 0
	let mtu = 1_000
	const send = async (app: FastifyInstance, nodes: readonly number[]) => {
		const mine = mtu++
		const body = nodes.map(node => ({ nodeName: `${prefix}-${node}`, interfaces: [{ id: 0, macAddress: 'fa:16:3e:00:00:01', mtu: mine }] }))
		const began = clock++
		const response = await app.inject({ method: 'POST', url: NODE_CONFIGS_PATH, headers, payload: JSON.stringify(body) })
		const ended = clock++
		const { results, errors } = response.json<NodeConfigsResponse>()
		for (const { nodeName, status } of results) posts.set(nodeName, [...(posts.get(nodeName) ?? []), { began, ended, mtu: mine, status }])
		return errors.map(({ code }) => code)
	}
	return { posts, send, all: () => [...posts.values()].flat() }
}

/** Every client sends `ROUNDS` lists of five nodes, one after the other. @returns the codes of all errors */
async function sendAll(violas: readonly FastifyInstance[], send: (app: FastifyInstance, nodes: readonly number[]) => Promise<string[]>) {
	const codes = await Promise.all(
		Array.from({ length: CLIENTS }, async (_, number) => {
			const app = violas[number % violas.length] as FastifyInstance
			const mine: string[] = []
			for (let round = 0; round < ROUNDS; round++) {
				const nodes = new Set([0, 1, 2, 3, 4].map(step => (number * 7 + round * 3 + step * (1 + (number % 3))) % NODES))
				mine.push(...(await send(app, [...nodes])))
			}
			return mine
		}),
	)
	return codes.flat()
}

/** Every node must be as a POST asked that was not followed by another one. */
async function expectLastToWin(posts: ReadonlyMap<string, readonly Post[]>): Promise<void> {
	expect(posts.size).toBe(NODES)
	for (const [name, ofNode] of posts) {
		const { spec } = await client.get(NodeConfigKind, { namespace, name })
		const winner = ofNode.find(({ mtu }) => mtu === spec.interfaces[0]?.mtu)
		expect(ofNode.filter(({ began }) => began > (winner?.ended ?? Number.NEGATIVE_INFINITY))).toEqual([])
	}
}

test('through one viola, each change is one request, and the last POST wins', async () => {
	const viola = await startViola()
	const { posts, send, all } = recorder('one')
	expect(await sendAll([viola.app], send)).toEqual([])
	await expectLastToWin(posts)
	const [created, updated] = ['created', 'updated'].map(status => all().filter(post => post.status === status).length)
	expect(created).toBe(NODES)
	expect([viola.count(/^create 201/), viola.count(/^patch 200/), viola.count(/^(create|patch|get)/)]).toEqual([
		created,
		updated,
		(created ?? 0) + (updated ?? 0),
	])
})

test('through three violas, a conflict costs one further request, and the last POST wins', async () => {
	const violas = [await startViola(), await startViola(), await startViola()]
	const { posts, send, all } = recorder('three')
	const codes = await sendAll(
		violas.map(({ app }) => app),
		send,
	)
	expect(codes.filter(code => code !== 'Conflict')).toEqual([])
	await expectLastToWin(posts)
	const total = (call: RegExp) => violas.reduce((sum, { count }) => sum + count(call), 0)
	const conflicts = total(/^(create|patch) 409/)
	expect(conflicts).toBeGreaterThan(0)
	expect(total(/^(create|patch) 20[01]/)).toBe(all().filter(({ status }) => status !== 'unchanged').length)
	expect(total(/^(create|patch)/)).toBe(all().length + conflicts)
	expect(total(/^get/)).toBe(conflicts - codes.length)
})

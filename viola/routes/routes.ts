import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { NodeName } from '../../contract/primitives.ts'
import { NODE_CONFIGS_PATH, PostQuery, PROVIDER_HEADER } from '../../contract/viola-api.ts'
import { Failure } from '../../runtime/errors.ts'
import { addAuth, type RateLimit } from '../../runtime/auth/add-auth.ts'
import type { Auth } from '../../runtime/auth/auth.ts'
import { keepBodiesAsText } from '../../runtime/http-body.ts'
import { rejected } from '../../runtime/http-errors.ts'
import { createHttpServer, type HttpServerOptions } from '../../runtime/http-server.ts'
import { isKubeFailure } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { createSlots } from '../../runtime/slots.ts'
import { applyNodes } from '../apply/apply.ts'
import { type By, logRemoval } from '../apply/audit.ts'
import { BODY_LIMIT, readBody } from '../apply/read-body.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Use } from '../cluster/clusters.ts'
import { failures, type ViolaCode } from '../model/failures.ts'

export type RouteOptions = {
	auth: Auth
	/** Certificate and key; without them, plain HTTP is used. */
	tls?: HttpServerOptions['tls']
	/** @throws Failure UNKNOWN_PROVIDER, BAD_REQUEST if there is no provider id, or CLUSTER_UNREACHABLE if its credentials cannot be used */
	clusterOf(providerId: string | undefined, use: Use): Promise<Cluster>
	log: Log
	/** Maximum number of requests per client. Default: 100 in 2 s. */
	rate?: RateLimit
	/** Time for a whole POST in milliseconds, below the time after which clients give up (30 s). Default: 25 000. */
	postMs?: number
}

type ByNode = { Params: { nodeName: string } }

/** Number of bodies that are parsed concurrently. A parsed body needs several times the memory of its text, so the others wait as text. */
const PARSED_AT_ONCE = 8

/**
 * Creates the HTTP server, which authenticates a request, finds its cluster, parses the body, and responds. Errors are `{ error: { code,
 * message, faults? } }`.
 */
export function createViola({ auth, tls, clusterOf, log, rate, postMs = 25_000 }: RouteOptions): FastifyInstance {
	const app = createHttpServer({ log, bodyLimitBytes: BODY_LIMIT, statusOf, tls })
	const cluster = (request: FastifyRequest, reply: FastifyReply) => clusterOf(providerIn(request), { ended: goneOf(reply) })
	const parsing = createSlots(PARSED_AT_ONCE)
	app.register(async api => {
		await addAuth(api, auth, { log, rate })
		api.addHook('onRequest', async request => {
			const providerId = providerIn(request)
			// without a provider, the request is rejected later and reaches no cluster
			if (providerId) await auth.require(request.caller, isRead(request) ? 'read' : 'write', providerId)
		})
		keepBodiesAsText(api)
		api.post(NODE_CONFIGS_PATH, async (request, reply) => {
			const { dryRun } = queryOf(request, PostQuery)
			const target = await cluster(request, reply)
			const nodes = await parsing.run(() => readBody(request.body, target))
			const how = { by: byOf(request), log, dryRun: dryRun === 'true', withinMs: postMs - reply.elapsedTime, gone: goneOf(reply) }
			const { status, body } = await applyNodes(target, nodes, how)
			const errors = body.errors.map(({ nodeName, code }) => ({ nodeName, code }))
			log.info({ ...how.by, providerId: target.providerId, results: counted(body.results), errors, dryRun: how.dryRun }, 'POST finished')
			if (target.unavailable()) reply.header('retry-after', RETRY_AFTER_SECONDS)
			return reply.code(status).send(body)
		})
		api.get(NODE_CONFIGS_PATH, async (request, reply) => {
			const target = readable(await cluster(request, reply))
			return answer(reply, target, `{"items":[${[...target.entries.values()].map(({ view }) => view).join(',')}]}`)
		})
		api.get<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, async (request, reply) => {
			queryOf(request, NoQuery)
			const nodeName = nodeIn(request)
			const target = readable(await cluster(request, reply))
			return answer(reply, target, (target.entries.get(nodeName) ?? unknownNode(nodeName)).view)
		})
		api.delete<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, async (request, reply) => {
			queryOf(request, NoQuery)
			const nodeName = nodeIn(request)
			const target = await cluster(request, reply)
			const before = target.entries.get(nodeName)
			const isDeleted = await target.inTurn(nodeName, () => target.remove(nodeName))
			if (isDeleted) logRemoval(log, nodeName, { by: byOf(request), providerId: target.providerId, before })
			return { nodeName, status: isDeleted ? 'deleted' : 'absent' }
		})
	})
	return app
}

/** Number of seconds after which a client should send the nodes of an unavailable cluster again. */
const RETRY_AFTER_SECONDS = 5

const NoQuery = z.strictObject({})

/** @throws Failure BAD_REQUEST for an unknown or invalid query parameter */
function queryOf<T>({ query }: FastifyRequest<ByNode> | FastifyRequest, schema: z.ZodType<T>): T {
	const parsed = schema.safeParse(query)
	if (parsed.success) return parsed.data
	throw rejected(parsed.error, { whole: 'the query' })
}

/** Responds with JSON from the entries of a cluster. The header Age is the time since the API server last confirmed them. */
function answer(reply: FastifyReply, { heardMs }: Cluster, json: string): FastifyReply {
	const age = Math.floor((performance.now() - (heardMs() ?? 0)) / 1_000)
	return reply.header('age', age).type('application/json; charset=utf-8').send(json)
}

/** @throws Failure CLUSTER_NOT_SYNCED or CLUSTER_UNREACHABLE if the node configs have never been read */
function readable(cluster: Cluster): Cluster {
	const failure = cluster.isSynced() ? undefined : cluster.unavailable()
	if (failure) throw failure
	return cluster
}

function byOf({ id, caller }: FastifyRequest | FastifyRequest<ByNode>): By {
	return { client: caller.name, how: caller.how, requestId: id }
}

/**
 * Returns a signal that is aborted when the response has been sent or the connection is closed. Fastify's own signal is already aborted
 * once the body has been read.
 */
function goneOf({ raw }: FastifyReply): AbortSignal {
	const gone = new AbortController()
	raw.once('close', () => gone.abort())
	return gone.signal
}

function nodeIn({ params }: FastifyRequest<ByNode>): string {
	const parsed = NodeName.safeParse(params.nodeName.toLowerCase())
	if (parsed.success) return parsed.data
	throw rejected(parsed.error, { whole: 'the last part of the path' })
}

function providerIn({ headers }: FastifyRequest): string | undefined {
	return headers[PROVIDER_HEADER]?.toString()
}

function isRead({ method }: FastifyRequest): boolean {
	return method === 'GET' || method === 'HEAD'
}

function statusOf(failure: Failure): number {
	if (failure.code in failures) return failures[failure.code as ViolaCode]
	if (isKubeFailure(failure, 'INVALID', 'BAD_REQUEST')) return 422
	return 503
}

function unknownNode(nodeName: string): never {
	throw new Failure<ViolaCode>('UNKNOWN_NODE', `there is no node config of ${nodeName} in this cluster`)
}

function counted(results: readonly { status: string }[]): Record<string, number> {
	const groups = Map.groupBy(results, ({ status }) => status)
	return Object.fromEntries([...groups].map(([status, items]) => [status, items.length]))
}

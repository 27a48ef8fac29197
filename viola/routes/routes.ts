import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NODE_CONFIGS_PATH, PostQuery, PROVIDER_HEADER } from '../../contract/viola-api.ts'
import { type Failure, isFailure } from '../../runtime/errors.ts'
import type { HttpCode } from '../../runtime/http-errors.ts'
import { addAuth, type RateLimit, requireAgain } from '../../runtime/auth/add-auth.ts'
import type { Auth } from '../../runtime/auth/auth.ts'
import { keepBodiesAsText } from '../../runtime/http-body.ts'
import { createHttpServer, type HttpServerOptions } from '../../runtime/http-server.ts'
import { isKubeFailure } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { addOpenApi } from '../../runtime/open-api.ts'
import { createSlots } from '../../runtime/slots.ts'
import { applyNodes } from '../apply/apply.ts'
import { type By, logRemoval } from '../apply/audit.ts'
import { BODY_LIMIT, readBody } from '../apply/read-body.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Use } from '../cluster/clusters.ts'
import { failures, type ViolaCode } from '../model/failures.ts'
import { createStreams, type Streams } from '../read/streams.ts'
import { info, post, remove } from './documented.ts'
import { addReading } from './read.ts'
import { type ByNode, NoQuery, nodeIn, queryOf } from './request.ts'

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
	streams?: Streams
}

type AnyRequest = FastifyRequest | FastifyRequest<ByNode>

/** Number of bodies that are parsed concurrently. A parsed body needs several times the memory of its text, so the others wait as text. */
const PARSED_AT_ONCE = 8

/**
 * Creates the HTTP server, which authenticates a request, finds its cluster, parses the body, and responds. Errors are `{ error: { code,
 * message, faults? } }`.
 */
export function createViola({
	auth,
	tls,
	clusterOf,
	log,
	rate,
	postMs = 25_000,
	streams = createStreams(log),
}: RouteOptions): FastifyInstance {
	const app = createHttpServer({ log, bodyLimitBytes: BODY_LIMIT, statusOf, tls })
	const cluster = (request: AnyRequest, reply: FastifyReply, onReplaced?: () => void) =>
		clusterOf(providerIn(request), { ended: goneOf(reply), ...(onReplaced && { onReplaced }) })
	const mayContinue = (request: FastifyRequest) => mayStillRead(auth, request)
	const parsing = createSlots(PARSED_AT_ONCE)
	app.register(async documented => {
		await addOpenApi(documented, info)
		await documented.register(addRoutes)
	})
	return app

	async function addRoutes(api: FastifyInstance): Promise<void> {
		await addAuth(api, auth, { log, rate })
		api.addHook('onRequest', async request => {
			const providerId = providerIn(request)
			// without a provider, the request is rejected later and reaches no cluster
			if (providerId) await auth.require(request.caller, isRead(request) ? 'read' : 'write', providerId)
		})
		keepBodiesAsText(api)
		api.post(NODE_CONFIGS_PATH, { schema: post }, async (request, reply) => {
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
		addReading(api, { sourceOf: cluster, clientOf: request => byOf(request).client, mayContinue, streams })
		api.delete<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, { schema: remove }, async (request, reply) => {
			queryOf(request, NoQuery)
			const nodeName = nodeIn(request)
			const target = await cluster(request, reply)
			const before = target.entries.get(nodeName)
			const isDeleted = await target.inTurn(nodeName, () => target.remove(nodeName))
			if (isDeleted) logRemoval(log, nodeName, { by: byOf(request), providerId: target.providerId, before })
			return { nodeName, status: isDeleted ? 'deleted' : 'absent' }
		})
	}
}

/** After how many seconds a client should send the nodes of an unavailable cluster again. */
const RETRY_AFTER_SECONDS = 5

function byOf({ id, caller }: AnyRequest): By {
	return { client: caller.name, how: caller.how, requestId: id }
}

/** Returns a signal that is aborted when the response has been sent or the connection is closed. Fastify's own signal is already aborted once the body has been read. */
function goneOf({ raw }: FastifyReply): AbortSignal {
	const gone = new AbortController()
	raw.once('close', () => gone.abort())
	return gone.signal
}

function providerIn({ headers }: AnyRequest): string | undefined {
	return headers[PROVIDER_HEADER]?.toString()
}

function isRead({ method }: FastifyRequest): boolean {
	return method === 'GET' || method === 'HEAD'
}

/** Returns whether the client of a stream may still read: its token may have been removed since the stream began. */
async function mayStillRead(auth: Auth, request: FastifyRequest): Promise<boolean> {
	try {
		await requireAgain(auth, request, 'read', providerIn(request) ?? '')
		return true
	} catch (error) {
		if (isFailure<HttpCode>(error, 'AUTH_UNAVAILABLE')) return true // the API server does not answer; the client was accepted before
		if (isFailure<HttpCode>(error, 'TOKEN_REFUSED', 'ACCESS_DENIED')) return false
		throw error
	}
}

function statusOf(failure: Failure): number {
	if (failure.code in failures) return failures[failure.code as ViolaCode]
	if (isKubeFailure(failure, 'INVALID', 'BAD_REQUEST')) return 422
	return 503
}

function counted(results: readonly { status: string }[]): Record<string, number> {
	const groups = Map.groupBy(results, ({ status }) => status)
	return Object.fromEntries([...groups].map(([status, items]) => [status, items.length]))
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NODE_CONFIGS_PATH, PostQuery, PROVIDER_HEADER } from '../../contract/viola-api.ts'
import { Failure } from '../../runtime/errors.ts'
import { createHttpServer } from '../../runtime/http-server.ts'
import { isKubeFailure } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { createSlots } from '../../runtime/slots.ts'
import type { TokenSource } from '../../runtime/token-file.ts'
import { applyNodes } from '../apply/apply.ts'
import { type By, logRemoval } from '../apply/audit.ts'
import { BODY_LIMIT, readBody } from '../apply/read-body.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { failures, type ViolaCode } from '../model/failures.ts'
import { createStreams, type Streams } from '../read/streams.ts'
import { addReading } from './read.ts'
import { type ByNode, NoQuery, nodeIn, queryOf } from './request.ts'

export type RouteOptions = {
	token: TokenSource
	/** @throws Failure UNKNOWN_PROVIDER, or BAD_REQUEST if there is no provider id */
	clusterOf(providerId: string | undefined): Promise<Cluster>
	log: Log
	/** Time for a whole POST in milliseconds, below the time after which clients give up (30 s). Default: 25 000. */
	postMs?: number
	streams?: Streams
}

/** Number of bodies that are parsed concurrently. A parsed body needs several times the memory of its text, so the others wait as text. */
const PARSED_AT_ONCE = 8

/**
 * Creates the HTTP server, which authenticates a request, finds its cluster, parses the body, and responds. Errors are `{ error: { code,
 * message, faults? } }`.
 */
export function createViola({ token, clusterOf, log, postMs = 25_000, streams = createStreams(log) }: RouteOptions): FastifyInstance {
	const app = createHttpServer({ log, bodyLimitBytes: BODY_LIMIT, statusOf })
	const cluster = ({ headers }: FastifyRequest) => clusterOf(headers[PROVIDER_HEADER]?.toString())
	const parsing = createSlots(PARSED_AT_ONCE)
	app.register(async api => {
		api.addHook('onRequest', async request => signIn(request, token()))
		// a body stays text until it is its turn to be parsed
		api.removeContentTypeParser('application/json')
		api.addContentTypeParser('application/json', { parseAs: 'string' }, async (_: unknown, text: string) => text)
		api.post(NODE_CONFIGS_PATH, async (request, reply) => {
			const { dryRun } = queryOf(request, PostQuery)
			const target = await cluster(request)
			const nodes = await parsing(() => readBody(request.body, target))
			const how = { by: byOf(request), log, dryRun: dryRun === 'true', withinMs: postMs - reply.elapsedTime, gone: goneOf(reply) }
			const { status, body } = await applyNodes(target, nodes, how)
			const errors = body.errors.map(({ nodeName, code }) => ({ nodeName, code }))
			log.info({ ...how.by, providerId: target.providerId, results: counted(body.results), errors, dryRun: how.dryRun }, 'POST finished')
			if (target.unavailable()) reply.header('retry-after', RETRY_AFTER_SECONDS)
			return reply.code(status).send(body)
		})
		addReading(api, { sourceOf: cluster, clientOf: request => byOf(request).client, streams })
		api.delete<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, async request => {
			queryOf(request, NoQuery)
			const nodeName = nodeIn(request)
			const target = await cluster(request)
			const before = target.entries.get(nodeName)
			const isDeleted = await target.inTurn(nodeName, () => target.remove(nodeName))
			if (isDeleted) logRemoval(log, nodeName, { by: byOf(request), providerId: target.providerId, before })
			return { nodeName, status: isDeleted ? 'deleted' : 'absent' }
		})
	})
	return app
}

/** After how many seconds a client should send the nodes of an unavailable cluster again. */
const RETRY_AFTER_SECONDS = 5

function byOf({ id }: FastifyRequest | FastifyRequest<ByNode>): By {
	return { client: 'default', how: 'token', requestId: id }
}

/** Returns a signal that is aborted when the connection closes. Fastify's own signal is already aborted once the body has been read. */
function goneOf({ raw }: FastifyReply): AbortSignal {
	const gone = new AbortController()
	raw.once('close', () => gone.abort())
	return gone.signal
}

/** Authenticates a request. Compares digests, so that the duration reveals nothing about the token. */
function signIn({ headers }: FastifyRequest, token: string): void {
	const sent = /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
	const digest = (text: string) => createHash('sha256').update(text).digest()
	if (!timingSafeEqual(digest(sent), digest(token)))
		throw new Failure<ViolaCode>('TOKEN_REFUSED', sent === '' ? 'bearer token required' : 'the bearer token is invalid')
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

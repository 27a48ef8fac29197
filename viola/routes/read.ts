import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NODE_CONFIGS_PATH, PROVIDER_HEADER } from '../../contract/viola-api.ts'
import { Failure } from '../../runtime/errors.ts'
import type { ViolaCode } from '../model/failures.ts'
import { etagOf, isNoneMatch } from '../../runtime/http-etag.ts'
import { bodyOf, pageOf } from '../read/list.ts'
import { ListQuery, StreamQuery } from '../read/query.ts'
import { ageOf, mustBeSynced, type Source } from '../read/source.ts'
import type { Streams } from '../read/streams.ts'
import { list, one } from './documented.ts'
import { type ByNode, NoQuery, nodeIn, queryOf } from './request.ts'

type AnyRequest = FastifyRequest | FastifyRequest<ByNode>

export type ReadOptions = {
	/**
	 * Finds the cluster of a request, which uses it until its response has ended.
	 *
	 * @param onReplaced called if the cluster is no longer the one of its provider: a stream then ends
	 * @throws Failure if there is none
	 */
	sourceOf(request: AnyRequest, reply: FastifyReply, onReplaced: () => void): Source | Promise<Source>
	/** Returns the name of the authenticated client. */
	clientOf(request: FastifyRequest): string
	/** Returns whether the client may still read; called at each heartbeat of a stream. Default: always. */
	mayContinue?: (request: FastifyRequest) => Promise<boolean>
	streams: Streams
	/** Time on the clock of `performance.now()`. */
	nowMs?: () => number
}

/** Adds the GET routes: the list, its event stream at the same path, and one node config. */
export function addReading(api: FastifyInstance, options: ReadOptions): void {
	const { nowMs = () => performance.now() } = options
	const sourceOf = async (request: AnyRequest, reply: FastifyReply, onReplaced = () => {}): Promise<Source> => {
		const source = await options.sourceOf(request, reply, onReplaced)
		mustBeSynced(source)
		reply.header('vary', `accept, authorization, ${PROVIDER_HEADER}`)
		return source
	}
	const reading = { exposeHeadRoute: false } // the response to HEAD would read the whole body, which of a stream has no end
	api.get(NODE_CONFIGS_PATH, { ...reading, schema: list }, async (request, reply) => {
		if (wantsStream(request)) {
			const query = queryOf(request, StreamQuery)
			const end = new AbortController()
			const source = await sourceOf(request, reply, () => end.abort())
			return sendStream(reply, source, { request, query, options, signal: end.signal })
		}
		const query = queryOf(request, ListQuery)
		const source = await sourceOf(request, reply)
		reply.header('age', ageOf(source, nowMs()))
		return sendList(reply, source, { request, query })
	})
	api.get<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, { ...reading, schema: one }, async (request, reply) => {
		queryOf(request, NoQuery)
		const nodeName = nodeIn(request)
		const source = await sourceOf(request, reply)
		const entry = source.held.content.find(nodeName)
		if (!entry) throw new Failure<ViolaCode>('UNKNOWN_NODE', `there is no node config of ${nodeName} in this cluster`)
		return reply.header('age', ageOf(source, nowMs())).type('application/json; charset=utf-8').send(entry.view)
	})
	api.addHook('preClose', async () => options.streams.endAll())
}

type Means<Query> = { request: FastifyRequest; query: Query }

function sendList(reply: FastifyReply, { held, providerId }: Source, { request, query }: Means<ListQuery>): FastifyReply {
	const etag = etagOf(providerId, query, held.content.digest)
	reply.headers({ etag, 'cache-control': 'private, no-cache' })
	if (isNoneMatch(request.headers['if-none-match'], etag)) return reply.code(304).send()
	const { entries, link } = pageOf(held, query)
	if (link) reply.header('link', link)
	return reply.type('application/json; charset=utf-8').send(bodyOf(entries))
}

type StreamMeans = Means<StreamQuery> & { options: ReadOptions; signal: AbortSignal }

function sendStream(reply: FastifyReply, { held }: Source, { request, query, options, signal }: StreamMeans): FastifyReply {
	const { clientOf, mayContinue = async () => true, streams } = options
	const lastEventId = request.headers['last-event-id']?.toString()
	const names = query.nodeName && new Set(query.nodeName)
	const isWanted = (nodeName: string) => names?.has(nodeName) ?? true
	const client = clientOf(request)
	const reader = { response: reply.raw, client, signal, mayContinue: () => mayContinue(request) }
	const body = streams.open({ held, lastEventId, isWanted, ...reader })
	reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
	return reply.type('text/event-stream').send(body)
}

function wantsStream({ headers }: FastifyRequest): boolean {
	return /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(headers.accept ?? '')
}

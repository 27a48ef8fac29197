import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type * as z from 'zod'
import { NodeName } from '../../contract/primitives.ts'
import { NODE_CONFIGS_PATH, PROVIDER_HEADER } from '../../contract/viola-api.ts'
import { Failure } from '../../runtime/errors.ts'
import { faultsIn } from '../../runtime/faults.ts'
import { etagOf, isNoneMatch } from '../read/etag.ts'
import { bodyOf, pageOf } from '../read/list.ts'
import { ListQuery, StreamQuery } from '../read/query.ts'
import { ageOf, mustBeSynced, type Source } from '../read/source.ts'
import type { Streams } from '../read/streams.ts'

export type ReadOptions = {
	/** Finds the cluster of a request. @throws Failure if it does not exist */
	sourceOf(request: FastifyRequest): Source | Promise<Source>
	/** Returns the name of the authenticated client. */
	clientOf(request: FastifyRequest): string
	streams: Streams
	/** Time on the clock of `performance.now()`. */
	nowMs?: () => number
	/** Time without progress after which a reader of a list is disconnected, in milliseconds. Default: 60 000. */
	stallMs?: number
}

/** Adds the GET routes: the list, its event stream at the same path, and one node config. */
export function addReading(api: FastifyInstance, options: ReadOptions): void {
	const { sourceOf, nowMs = () => performance.now() } = options
	const sourceFor = async (request: FastifyRequest, reply: FastifyReply): Promise<Source> => {
		const source = await sourceOf(request)
		mustBeSynced(source)
		reply.header('vary', `accept, authorization, ${PROVIDER_HEADER}`)
		return source
	}
	const reading = { exposeHeadRoute: false } // the response to HEAD would read the whole body, and that of a stream never ends
	api.get(NODE_CONFIGS_PATH, reading, async (request, reply) => {
		if (wantsStream(request)) {
			const query = read(StreamQuery, request)
			return sendStream(reply, await sourceFor(request, reply), { request, query, options })
		}
		const query = read(ListQuery, request)
		const source = await sourceFor(request, reply)
		reply.header('age', ageOf(source, nowMs()))
		return sendList(reply, source, { request, query, options })
	})
	api.get<{ Params: { nodeName: string } }>(`${NODE_CONFIGS_PATH}/:nodeName`, reading, async (request, reply) => {
		const nodeName = NodeName.safeParse(request.params.nodeName.toLowerCase())
		if (!nodeName.success) throw new Failure('BAD_REQUEST', faultsIn(nodeName.error, { whole: 'the last part of the path' }))
		const source = await sourceFor(request, reply)
		const entry = source.held.find(nodeName.data)
		if (!entry) throw new Failure('UNKNOWN_NODE', `there is no node config of ${nodeName.data} in this cluster`)
		return reply.header('age', ageOf(source, nowMs())).type('application/json; charset=utf-8').send(entry.view)
	})
	api.addHook('preClose', async () => options.streams.endAll())
}

type Means<Query> = { request: FastifyRequest; query: Query; options: ReadOptions }

function sendList(reply: FastifyReply, { held, providerId }: Source, { request, query, options }: Means<ListQuery>): FastifyReply {
	const etag = etagOf(providerId, query, held.digest)
	reply.headers({ etag, 'cache-control': 'private, no-cache' })
	if (isNoneMatch(request.headers['if-none-match'], etag)) return reply.code(304).send()
	const { entries, link } = pageOf(held, query)
	if (link) reply.header('link', link)
	reply.raw.setTimeout(options.stallMs ?? 60_000, () => reply.raw.destroy())
	return reply.type('application/json; charset=utf-8').send(bodyOf(entries))
}

function sendStream(reply: FastifyReply, { held, signal }: Source, { request, query, options }: Means<StreamQuery>): FastifyReply {
	const lastEventId = request.headers['last-event-id']?.toString()
	const names = query.nodeName && new Set(query.nodeName)
	const isWanted = (nodeName: string) => names?.has(nodeName) ?? true
	const body = options.streams.open({ held, signal, lastEventId, isWanted, client: options.clientOf(request) })
	reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
	return reply.type('text/event-stream').send(body)
}

function wantsStream({ headers }: FastifyRequest): boolean {
	return /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(headers.accept ?? '')
}

/** @throws Failure BAD_REQUEST that names the parameter */
function read<T>(schema: z.ZodType<T>, { query }: FastifyRequest): T {
	const parsed = schema.safeParse(query)
	if (parsed.success) return parsed.data
	throw new Failure('BAD_REQUEST', faultsIn(parsed.error, { whole: 'the query' }))
}

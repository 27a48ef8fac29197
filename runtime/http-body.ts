import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseBounded } from './bounded-json.ts'
import { answer, rejectedWhole } from './http-errors.ts'
import { createSharedSlots } from './shared-slots.ts'

/** Limits for a request body, above the size of any legitimate request. */
const BODY = { depth: 16, values: 2_000_000 }

/**
 * Number of bodies that are received concurrently, which limits the memory that they take. A client has only a part of them, so that one
 * that sends slowly does not block the others.
 */
const RECEIVED_AT_ONCE = { total: 32, perHolder: 8 }

/** When a client should retry a request that was not received (milliseconds). */
const RETRY_AFTER_MS = 5_000

export type BodyOptions = {
	bodyLimitBytes: number
	/** How long a request waits until its body is received, in milliseconds. */
	bodyWaitMs: number
}

/**
 * Reads JSON bodies: UTF-8, without compression, bounded in size, depth and number of values. The body of a request that waits for a slot
 * stays unread on its connection; one that waits too long is answered with 503.
 */
export function addJsonBodies(app: FastifyInstance, { bodyLimitBytes, bodyWaitMs }: BodyOptions): void {
	const slots = createSharedSlots({ ...RECEIVED_AT_ONCE, waitMs: bodyWaitMs })
	const releases = new WeakMap<FastifyRequest, () => void>()
	app.removeAllContentTypeParsers()
	app.addHook('preParsing', async (request, reply) => {
		if (!hasBody(request)) return
		const fault = encodingFault(request)
		if (fault !== undefined) return answerUnread(reply, fault)
		const release = await slots.take(senderOf(request))
		if (!release) return answerBusy(reply)
		releases.set(request, release)
		reply.raw.once('close', release)
		if (request.raw.socket.destroyed) release()
	})
	app.addHook('preValidation', async request => releases.get(request)?.())
	app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (_: unknown, bytes: Buffer) =>
		read(bytes, bodyLimitBytes),
	)
}

/** Passes JSON bodies as text to the routes of `api`, which parse them later. */
export function keepBodiesAsText(api: FastifyInstance): void {
	api.removeContentTypeParser('application/json')
	api.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, async (_: unknown, bytes: Buffer) => textOf(bytes))
}

/** The connection is closed, because the body stays unread. */
function answerUnread(reply: FastifyReply, message: string): FastifyReply {
	return answer(reply.header('connection', 'close'), 415, { code: 'BAD_REQUEST', message, faults: [{ path: '', message }] })
}

function answerBusy(reply: FastifyReply): FastifyReply {
	const message = 'the body was not received, because too many others are being received: try again later'
	return answer(reply.header('connection', 'close'), 503, { code: 'TOO_MANY_BODIES', message, retryAfterMs: RETRY_AFTER_MS })
}

/** Returns the authenticated client, or the address if there is none. */
function senderOf({ caller, ip }: Pick<FastifyRequest, 'ip'> & { caller?: FastifyRequest['caller'] }): string {
	return caller && caller.how !== 'none' ? `${caller.how} ${caller.name}` : `address ${ip}`
}

function hasBody({ headers }: FastifyRequest): boolean {
	return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Returns what is wrong with the encoding of a body, which would otherwise be reported as invalid JSON. */
function encodingFault({ headers }: FastifyRequest): string | undefined {
	const coding = headers['content-encoding'] ?? 'identity'
	if (coding.toLowerCase() !== 'identity') return `content encoding ${coding.slice(0, 100)} is not supported: send the body uncompressed`
	const charset = /;\s*charset="?([^";\s]*)/i.exec(headers['content-type'] ?? '')?.[1] ?? 'utf-8'
	return /^utf-?8$/i.test(charset) ? undefined : `charset ${charset.slice(0, 100)} is not supported: use utf-8`
}

function read(bytes: Buffer, limitBytes: number): unknown {
	if (bytes.length === 0) return undefined // many clients set the content type even on a DELETE, which has no body
	const json = parseBounded(textOf(bytes), { bytes: limitBytes, ...BODY })
	if ('fault' in json) throw rejectedWhole(`the body cannot be read: ${json.fault}`)
	return json.value
}

function textOf(bytes: Buffer): string {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
	} catch {
		throw rejectedWhole('the body cannot be read: it is not UTF-8')
	}
}

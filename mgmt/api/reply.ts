import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Auth } from '../../runtime/auth/auth.ts'
import { etagOf, isNoneMatch } from '../../runtime/http-etag.ts'
import type { Inventory, Page, Paged, Scope } from '../inventory/inventory.ts'
import { prefersCsv } from './csv.ts'
import { LIMIT_DEFAULT, nextPage } from './query.ts'
import { scopeOf } from './scope.ts'

/** What the routes need. */
export type Routes = {
	app: FastifyInstance
	inventory: Inventory
	auth: Auth
	now: () => number
} & Reply

export type Reply = {
	/**
	 * Responds to a GET: with 304, without reading a row, if the client already has the response, otherwise with the result of `read`.
	 * `If-None-Match: *` names every response that exists, which only `read` knows.
	 *
	 * @param providerId the provider that the request names, if any
	 * @throws Failure ACCESS_DENIED
	 */
	unlessKnown<T>(exchange: Exchange, providerId: string | undefined, read: (scope: Scope) => Promise<T>): Promise<T>
}

export type Exchange = { request: FastifyRequest; reply: FastifyReply }

export function createReply({ inventory, auth }: { inventory: Inventory; auth: Auth }): Reply {
	return {
		async unlessKnown({ request, reply }, providerId, read) {
			const scope = await scopeOf(auth, request.caller, inventory, providerId)
			const { epoch, revision } = await inventory.revision()
			const etag = etagOf(request.url, isCsv(request), scope, epoch, revision)
			reply.header('etag', etag).header('vary', 'Accept, Authorization').header('cache-control', 'no-cache, private')
			const header = request.headers['if-none-match']
			const isAny = header?.trim() === '*'
			if (!isAny && isNoneMatch(header, etag)) return sent(reply.status(304).send())
			const found = await read(scope)
			if (!isAny || isSent(found, reply)) return found
			return sent(reply.removeHeader('link').status(304).send())
		},
	}
}

export function pageIn({ limit = LIMIT_DEFAULT, cursor }: { limit?: number | undefined; cursor?: string | undefined }): Page {
	return { limit, cursor }
}

/** Sets the header Link if there are more items. @returns the items */
export function itemsOf<T>({ items, next }: Paged<T>, { request, reply }: Exchange): T[] {
	if (next !== undefined) reply.header('link', `<${nextPage(request.url, next)}>; rel="next"`)
	return items
}

/** Sends items as CSV if the client prefers it, otherwise returns them for JSON. */
export function asPreferred<T>(items: T[], { request, reply }: Exchange, csv: (items: T[]) => string): T[] {
	return isCsv(request) ? sent(reply.type('text/csv; charset=utf-8; header=present').send(csv(items))) : items
}

/** Fastify accepts its reply as the result of a handler, but the type of a handler with a declared response does not include it. */
function sent(reply: FastifyReply): never {
	return reply as never
}

/** Whether `read` has already sent the response, as CSV. */
function isSent(found: unknown, reply: FastifyReply): boolean {
	return found === reply
}

function isCsv({ headers }: FastifyRequest): boolean {
	return prefersCsv(headers.accept)
}

import { keyOf, type Name } from '../../../runtime/kube/kind.ts'
import type { Collection, Entry } from './collection.ts'
import { listed, textAs } from './list.ts'
import { type ApiObject, isMap } from './object.ts'
import { badRequest, noSuchPath, notAllowed, notFound, unsupportedType } from './refusal.ts'
import type { ApiRequest } from './request.ts'
import type { Store } from './store.ts'
import type { DeleteOptions, WriteOptions, Writer } from './write.ts'

/** The response to one request; `text` is JSON. */
export type Answer = { status: number; text: string }

/**
 * Executes any request except a watch, and returns its response.
 *
 * @throws Refusal
 */
export function answerTo(store: Store, writer: Writer, request: ApiRequest): Answer {
	if (!request.plural) return { status: 200, text: aboutTheServer(request) }
	const at = servedCollection(store, request)
	const { verb, subresource, name, namespace } = request
	if (subresource !== undefined && !(subresource === 'status' && at.kind.status)) throw noSuchPath()
	if (verb === 'list') return { status: 200, text: listed(store, at, request) }
	if (verb === 'create') {
		const made = writer.create(at, objectIn(request), namespace, writeOptions(request))
		return { status: 201, text: textAs(at, made, request.version) }
	}
	if (verb === 'other' || name === undefined) throw notAllowed()
	return answerFor(at, writer, request, { name, ...(namespace !== undefined && { namespace }) })
}

/** @throws Refusal 404 if the kind is not served in the requested version, or not at that scope (with or without a namespace) */
export function servedCollection(store: Store, request: ApiRequest): Collection {
	const at = store.collection(request)
	const { version, alsoServed = [], namespaced } = at.kind
	const { verb, namespace, name } = request
	const needsNamespace = name !== undefined || verb === 'create'
	const isElsewhere = namespaced ? needsNamespace && namespace === undefined : namespace !== undefined
	if (isElsewhere || ![version, ...alsoServed].includes(request.version)) throw noSuchPath()
	return at
}

function answerFor(at: Collection, writer: Writer, request: ApiRequest, name: Name): Answer {
	const ok = (entry: Entry) => ({ status: 200, text: textAs(at, entry, request.version) })
	const options = writeOptions(request)
	switch (request.verb) {
		case 'update':
			return ok(writer.update(at, name, objectIn(request), options))
		case 'patch':
			return ok(writer.patch(at, name, patchIn(request), options))
		case 'apply': {
			const isNew = !at.get(keyOf(name))
			const { text } = ok(writer.apply(at, name, named(objectIn(request), name), options))
			return { status: isNew ? 201 : 200, text }
		}
		case 'delete': {
			const last = writer.delete(at, name, deleteOptions(request))
			return at.get(keyOf(name)) ? ok(last) : { status: 200, text: success(at, last) }
		}
		default: {
			const found = at.get(keyOf(name))
			if (!found) throw notFound(at.kind, name.name)
			return ok(found)
		}
	}
}

function aboutTheServer({ path, method }: ApiRequest): string {
	if (method === 'GET' && path === '/version') return JSON.stringify({ major: '1', minor: '34', gitVersion: 'v1.34.0+fake' })
	if (method === 'GET' && ['/healthz', '/livez', '/readyz'].includes(path)) return '"ok"'
	throw noSuchPath()
}

function objectIn({ body }: ApiRequest): ApiObject {
	if (!isMap(body)) throw badRequest('the body is not an object')
	return { ...body, metadata: isMap(body.metadata) ? body.metadata : {} } as ApiObject
}

function patchIn({ body, contentType }: ApiRequest): unknown {
	if (!contentType.startsWith('application/merge-patch+json')) throw unsupportedType(contentType)
	if (!isMap(body)) throw badRequest('the patch is not an object')
	return body
}

/** Adds the name and namespace from the path, which an applied object may omit. */
function named(object: ApiObject, name: Name): ApiObject {
	return { ...object, metadata: { ...object.metadata, ...name } }
}

function writeOptions({ query, subresource, userAgent, verb }: ApiRequest): WriteOptions {
	return {
		subresource,
		dryRun: query.get('dryRun') === 'All',
		...(query.get('fieldValidation') === 'Strict' && { strict: verb === 'patch' || verb === 'apply' ? verb : 'object' }),
		fieldManager: query.get('fieldManager') ?? userAgent.split('/')[0] ?? '',
		force: query.get('force') === 'true',
	}
}

function deleteOptions({ body, query }: ApiRequest): DeleteOptions {
	const dryRun = query.getAll('dryRun')
	return { ...(dryRun.length > 0 && { dryRun }), ...(isMap(body) ? (body as DeleteOptions) : {}) }
}

function success({ kind }: Collection, { object: { metadata } }: Entry): string {
	const details = { name: metadata.name, ...(kind.group && { group: kind.group }), kind: kind.plural, uid: metadata.uid }
	return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}

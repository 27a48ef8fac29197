import type { Credentials } from './kubeconfig/credentials.ts'
import { isKubeFailure } from './failures.ts'
import { apiVersionOf, collectionPath, type Kind, type KubeObject, type Name, objectPath, type Stored } from './kind.ts'
import { type ListOptions, type Page, pagesOf } from './list.ts'
import type { CallOptions, Request } from './request.ts'
import { createTransport, type Transport, type TransportOptions } from './transport.ts'
import { type WatchEvent, type WatchOptions, watchEvents } from './watch.ts'

/** Options of every write. */
export type WriteOptions = CallOptions & {
	/** Name of the writer in `managedFields`. Default: the client's. */
	fieldManager?: string
	/** Strict: an unknown or duplicate field is an error instead of being dropped. Default: Strict. */
	fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
	dryRun?: boolean
	subresource?: 'status'
}

export type ApplyOptions = WriteOptions & {
	/** Takes over fields that another manager owns. Default: true, as recommended for controllers. */
	force?: boolean
}

export type DeleteOptions = CallOptions & {
	/** Preconditions: throws CONFLICT if the object has a different uid or resourceVersion. */
	uid?: string
	resourceVersion?: string
	/** Default: Background. */
	propagation?: 'Background' | 'Foreground' | 'Orphan'
	graceSeconds?: number
	dryRun?: boolean
}

/** A partial object with the fields to merge; `null` removes a field. */
export type MergePatch = object

export type KubeClientOptions = TransportOptions & {
	/** Name of the writer in `managedFields`; also the user agent if none is given. */
	fieldManager: string
}

/**
 * A client with one pool of kept-alive connections. Objects are plain JSON: all fields are kept, and times stay strings.
 *
 * A call that fails throws a Failure with a KubeCode and the API server's own message; `retry` says whether a later attempt may succeed.
 */
export class KubeClient {
	readonly #transport: Transport
	readonly #fieldManager: string

	constructor(credentials: Credentials | Transport, options: KubeClientOptions) {
		const isTransport = 'send' in credentials
		this.#transport = isTransport ? credentials : createTransport(credentials, { userAgent: options.fieldManager, ...options })
		this.#fieldManager = options.fieldManager
	}

	/**
	 * Returns a client that shares these connections. Its writes call `mayWrite` immediately before each attempt, and fail with STOPPED if it
	 * returns false. Reads and watches do not call it. A leader uses `client.guarded(isLeading)`.
	 */
	guarded(mayWrite: () => boolean): KubeClient {
		const transport = this.#transport
		const send = (wanted: Request) => transport.send(wanted.method === 'GET' ? wanted : { ...wanted, mayBegin: mayWrite })
		return new KubeClient({ ...transport, send }, { fieldManager: this.#fieldManager })
	}

	async get<T extends KubeObject>(kind: Kind<T>, at: Name, options: CallOptions = {}): Promise<Stored<T>> {
		return (await this.#transport.send({ method: 'GET', path: objectPath(kind, at), ...options })) as Stored<T>
	}

	/** Like get, but returns undefined if the object does not exist. */
	async find<T extends KubeObject>(kind: Kind<T>, at: Name, options: CallOptions = {}): Promise<Stored<T> | undefined> {
		try {
			return await this.get(kind, at, options)
		} catch (error) {
			if (isKubeFailure(error, 'NOT_FOUND')) return undefined
			throw error
		}
	}

	/** Returns all objects, read in pages. To keep them current, use a reflector. */
	async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<Page<T>> {
		const all: Page<T> = { items: [], resourceVersion: '' }
		for await (const { items, resourceVersion } of this.pages(kind, options)) {
			for (const item of items) all.items.push(item)
			all.resourceVersion = resourceVersion
		}
		return all
	}

	/** Like list, but yields one page at a time, for lists that should not be held completely in memory. */
	pages<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): AsyncGenerator<Page<T>, void, void> {
		return pagesOf(this.#transport, kind, options)
	}

	/** Opens one watch, which lasts until the server or `signal` ends it. Unlike a reflector, this does not reopen it. */
	watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions<T>): AsyncGenerator<WatchEvent<T>, void, void> {
		return watchEvents(this.#transport, kind, options)
	}

	create<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<Stored<T>> {
		const path = collectionPath(kind, object.metadata.namespace)
		return this.#write(options, { method: 'POST', verb: 'create', path, body: typed(kind, object) })
	}

	/** Replaces the whole object (PUT). With a resourceVersion, throws CONFLICT if the object was written after that version. */
	replace<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<Stored<T>> {
		const path = objectPath(kind, object.metadata, options.subresource)
		return this.#write(options, { method: 'PUT', verb: 'update', path, body: typed(kind, object) })
	}

	/** JSON merge patch. A `metadata.resourceVersion` in the body makes it conditional. */
	patch<T extends KubeObject>(kind: Kind<T>, at: Name, body: MergePatch, options: WriteOptions = {}): Promise<Stored<T>> {
		const path = objectPath(kind, at, options.subresource)
		return this.#write(options, { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' })
	}

	/** JSON merge patch of the status subresource; `status` is the value of the field `status`. */
	patchStatus<T extends KubeObject>(kind: Kind<T>, at: Name, status: MergePatch, options: WriteOptions = {}): Promise<Stored<T>> {
		return this.patch(kind, at, { status }, { ...options, subresource: 'status' })
	}

	/**
	 * Server-side apply: creates or changes the object, and owns exactly the fields in `object`.
	 *
	 * The API server reports a mistake in the object (unknown or duplicate field) as SERVER_ERROR, so the caller must limit its retries.
	 */
	apply<T extends KubeObject>(kind: Kind<T>, object: T, options: ApplyOptions = {}): Promise<Stored<T>> {
		const { force = true, ...rest } = options
		const path = objectPath(kind, object.metadata, options.subresource)
		const how = { method: 'PATCH', verb: 'apply', path, contentType: 'application/apply-patch+yaml' } as const
		return this.#write(rest, { ...how, body: typed(kind, object), query: { force } })
	}

	/** @returns false if the object did not exist */
	async delete(kind: Kind, at: Name, options: DeleteOptions = {}): Promise<boolean> {
		const { uid, resourceVersion, propagation = 'Background', graceSeconds, dryRun, ...call } = options
		const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) }
		const body = { propagationPolicy: propagation, preconditions, gracePeriodSeconds: graceSeconds, ...(dryRun && { dryRun: ['All'] }) }
		try {
			await this.#transport.send({ method: 'DELETE', path: objectPath(kind, at), body, ...call })
			return true
		} catch (error) {
			if (isKubeFailure(error, 'NOT_FOUND')) return false
			throw error
		}
	}

	/** Sends any other request (`/version`, a pod eviction, a token request); returns the parsed JSON of the response, or its text. */
	raw(request: Request): Promise<unknown> {
		return this.#transport.send(request)
	}

	/** Returns the number of requests since the start by verb, including retries: `{ get: 3, watch: 1 }`. */
	requests(): Readonly<Record<string, number>> {
		return this.#transport.requests()
	}

	/** Closes all connections; calls in progress fail with UNREACHABLE. */
	close(): Promise<void> {
		return this.#transport.close()
	}

	async #write<T extends KubeObject>(options: WriteOptions, request: Request): Promise<Stored<T>> {
		const { fieldManager = this.#fieldManager, fieldValidation = 'Strict', dryRun, subresource: _, ...call } = options
		const query = { fieldManager, fieldValidation, ...(dryRun && { dryRun: 'All' }), ...request.query }
		return (await this.#transport.send({ ...request, ...call, query })) as Stored<T>
	}
}

function typed<T extends KubeObject>(kind: Kind<T>, object: T): T {
	return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...object }
}

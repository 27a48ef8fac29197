import { deadline } from '../clock.ts'
import { Failure } from '../errors.ts'
import { streamFailure, type KubeCode } from './failures.ts'
import { itemsOf } from './items.ts'
import { apiVersionOf, collectionPath, type Kind, type KubeObject, type Stored } from './kind.ts'
import type { CallOptions } from './request.ts'
import type { Transport } from './transport.ts'

/** Selects objects of a kind. */
export type Selection = {
	/** Default: all namespaces. */
	namespace?: string
	labelSelector?: string
	fieldSelector?: string
}

export type ListOptions = CallOptions &
	Selection & {
		/** Objects per page; 0: all in one response, which is read as a stream. Default: 500. */
		limit?: number
	}

/** A watch may start at `resourceVersion`. In a response that is read as a stream, only the last page has it. */
export type Page<T extends KubeObject> = { items: Stored<T>[]; resourceVersion: string }

/** The response of a list. For some kinds an empty list has `items: null`. */
type List<T extends KubeObject> = { items: Stored<T>[] | null; metadata: { resourceVersion?: string; continue?: string } }

/** Reads a list one page at a time; all pages show the state at the same resource version. */
export async function* pagesOf<T extends KubeObject>(
	transport: Transport,
	kind: Kind<T>,
	options: ListOptions,
): AsyncGenerator<Page<T>, void, void> {
	const { namespace, labelSelector, fieldSelector, limit = 500, ...call } = options
	const path = collectionPath(kind, namespace)
	if (limit === 0) return yield* piecesOf(transport, kind, path, options)
	let next: string | undefined
	do {
		const query = { labelSelector, fieldSelector, limit, continue: next }
		const list = (await transport.send({ method: 'GET', verb: 'list', path, query, ...call })) as List<T>
		next = list.metadata.continue
		yield { items: (list.items ?? []).map(item => typed(kind, item)), resourceVersion: list.metadata.resourceVersion ?? '' }
	} while (next)
}

/** Yields the objects of one response as they arrive, so that the response is never held as a whole. */
async function* piecesOf<T extends KubeObject>(
	transport: Transport,
	kind: Kind<T>,
	path: string,
	{ labelSelector, fieldSelector, signal, timeoutMs = 30_000 }: ListOptions,
): AsyncGenerator<Page<T>, void, void> {
	const watchdog = deadline(timeoutMs, signal)
	try {
		const query = { labelSelector, fieldSelector }
		const { bytes } = await transport.open({ method: 'GET', verb: 'list', path, query, timeoutMs, signal: watchdog.signal })
		for await (const { items, rest } of itemsOf(bytes, () => watchdog.restart(timeoutMs)))
			yield { items: items.map(item => typed(kind, parse(path, item) as Stored<T>)), resourceVersion: rest ? versionIn(path, rest) : '' }
	} catch (error) {
		throw streamFailure(`GET ${path}`, error, { silent: watchdog.expired(), stopped: signal?.aborted ?? false })
	} finally {
		watchdog.clear()
		watchdog.abort(new Error('the list was aborted'))
	}
}

function versionIn(path: string, list: string): string {
	return (parse(path, list) as List<KubeObject>).metadata.resourceVersion ?? ''
}

function parse(path: string, text: string): unknown {
	try {
		return JSON.parse(text)
	} catch (cause) {
		throw new Failure<KubeCode>('SERVER_ERROR', `GET ${path}: truncated or invalid JSON in the response`, { retry: true, cause })
	}
}

/** Adds apiVersion and kind, which the items of a list do not have. */
function typed<T extends KubeObject>(kind: Kind<T>, item: Stored<T>): Stored<T> {
	item.apiVersion ??= apiVersionOf(kind)
	item.kind ??= kind.kind
	return item
}

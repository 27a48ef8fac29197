import { apiVersionOf, collectionPath, type Kind, type KubeObject, type Stored } from './kind.ts'
import type { CallOptions, Transport } from './transport.ts'

/** Which objects of a kind. */
export type Selection = {
	/** Default: all namespaces. */
	namespace?: string
	labelSelector?: string
	fieldSelector?: string
}

export type ListOptions = CallOptions &
	Selection & {
		/** Objects a page; 0: all in one. Default: 500. */
		limit?: number
	}

/** `resourceVersion` is where a watch may start. */
export type Page<T extends KubeObject> = { items: Stored<T>[]; resourceVersion: string }

/** What a list answers. An empty one of some kinds has `items: null`. */
type List<T extends KubeObject> = { items: Stored<T>[] | null; metadata: { resourceVersion?: string; continue?: string } }

/** Reads a list a page at a time; all pages show the state at one resource version. */
export async function* pagesOf<T extends KubeObject>(
	transport: Transport,
	kind: Kind<T>,
	options: ListOptions,
): AsyncGenerator<Page<T>, void, void> {
	const { namespace, labelSelector, fieldSelector, limit = 500, ...call } = options
	const path = collectionPath(kind, namespace)
	let next: string | undefined
	do {
		const query = { labelSelector, fieldSelector, limit: limit || undefined, continue: next }
		const list = (await transport.send({ method: 'GET', verb: 'list', path, query, ...call })) as List<T>
		next = list.metadata.continue
		yield { items: (list.items ?? []).map(item => typed(kind, item)), resourceVersion: list.metadata.resourceVersion ?? '' }
	} while (next)
}

/** Items of a list lack what all of them share. */
function typed<T extends KubeObject>(kind: Kind<T>, item: Stored<T>): Stored<T> {
	item.apiVersion ??= apiVersionOf(kind)
	item.kind ??= kind.kind
	return item
}

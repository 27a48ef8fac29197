import type { Failure } from '../../runtime/errors.ts'
import { sleep } from '../../runtime/clock.ts'
import {
	type Credentials,
	collectionPath,
	KubeClient,
	keyOf,
	nameOf,
	type Reflector,
	startReflector,
	type TransportOptions,
} from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { createTurns, type Turns } from '../../runtime/turns.ts'
import type { Entry } from '../model/entry.ts'
import type { ViolaCode } from '../model/failures.ts'
import { NodeConfigKind, type NodeConfigObject } from '../model/node-config-kind.ts'
import { project } from '../model/project.ts'
import { type Contact, createContact } from './contact.ts'
import { type Requests, requestsOf } from './requests.ts'
import { unavailable } from './unavailable.ts'

/** The part of a biz cluster that viola accesses: the node configs of one namespace, held in memory, and requests that change them. */
export type Cluster = Requests & {
	providerId: string
	/** The only namespace that is accessed; it must exist. */
	namespace: string
	/** The node configs by node name, as the API server last reported them to this process. */
	entries: { readonly size: number; get(nodeName: string): Entry | undefined; values(): Iterable<Entry> }
	/** Whether all node configs have been read. */
	isSynced(): boolean
	/** Whether they are being read for the first time, and no attempt has failed. */
	isOpening(): boolean
	/** When the API server last confirmed the entries, on the clock of `performance.now()`. */
	heardMs(): number | undefined
	/**
	 * Whether the API server has confirmed the entries recently enough to answer from them that a node config needs no change: within the
	 * idle time of a watch and one attempt to reopen it, which takes as long at most.
	 */
	isCurrent(): boolean
	/** Returns why node configs cannot be written now: CLUSTER_UNREACHABLE or CLUSTER_NOT_SYNCED; undefined if they can. */
	unavailable(): Failure<ViolaCode> | undefined
	/** Runs work on the same node one after the other. */
	inTurn: Turns
	/** Closes all connections. Requests in progress fail. */
	close(): Promise<void>
}

export type ClusterOptions = {
	providerId: string
	namespace: string
	credentials: Credentials
	log: Log
	onCall?: NonNullable<TransportOptions['onCall']>
	/** Called when the cluster goes up or down. */
	onUp?: (isUp: boolean) => void
	/**
	 * Idle time after which the watch is reopened (milliseconds). A connection that is dead without having been closed is noticed by this
	 * alone, so it bounds how long a change in the cluster can stay unseen. Default: 30 000.
	 */
	idleMs?: number
}

/** How often viola tries to reach a cluster that is down (milliseconds). */
export const RETRY_MS = 5_000

/** Starts to hold the node configs of a cluster. A cluster that cannot be reached is tried again every 5 seconds. */
export function openCluster(options: ClusterOptions): Cluster {
	const { providerId, namespace, idleMs = 30_000 } = options
	const stop = new AbortController()
	const contact = contactOf(options)
	const client = clientOf(options, contact)
	/** Nodes whose node config this process has deleted, until the watch reports it. */
	const gone = new Set<string>()
	const reflector = startReflector<NodeConfigObject, Entry>({
		...{ client, kind: NodeConfigKind, namespace, project, log: options.log, signal: stop.signal },
		...{ listMode: 'single', idleMs, backoff: { firstMs: 200, maxMs: RETRY_MS } },
		onChange: key => void gone.delete(nameOf(key).name),
	})
	const probing = probeWhileDown(client, namespace, contact, stop.signal)
	const { isSynced, heardMs } = reflector
	return {
		...{ providerId, namespace, isSynced, heardMs },
		entries: entriesOf(reflector, namespace, gone),
		isOpening: () => !isSynced() && reflector.counts.failures === 0,
		isCurrent: () => performance.now() - (heardMs() ?? Number.NEGATIVE_INFINITY) < 2 * idleMs,
		unavailable: () => unavailable({ providerId, state: contact.state(), why: contact.why(), isSynced: isSynced() }),
		inTurn: createTurns(),
		...requestsOf({ ...{ client, namespace, providerId, contact, reflector }, hide: name => void gone.add(name) }),
		async close() {
			stop.abort(new Error(`the cluster of provider ${providerId} was closed`))
			await client.close()
			await Promise.all([reflector.done, probing])
		},
	}
}

function contactOf({ providerId, log, onUp = () => {} }: ClusterOptions): Contact {
	return createContact((state, why) => {
		onUp(state === 'up')
		if (state === 'down') log.warn({ providerId, why, retryMs: RETRY_MS }, 'cluster down')
		else log.info({ providerId }, 'cluster up')
	})
}

function clientOf({ credentials, onCall = () => {} }: ClusterOptions, contact: Contact): KubeClient {
	return new KubeClient(credentials, {
		...{ fieldManager: 'multinic-viola', timeoutMs: 10_000, retryForMs: 2_000 },
		onCall: call => {
			contact.tried(call)
			onCall(call)
		},
	})
}

function entriesOf({ store }: Reflector<NodeConfigObject, Entry>, namespace: string, gone: ReadonlySet<string>): Cluster['entries'] {
	return {
		get size() {
			return store.size - gone.size
		},
		get: name => (gone.has(name) ? undefined : store.get(keyOf({ namespace, name }))),
		*values() {
			for (const entry of store.values()) if (!gone.has(entry.nodeName)) yield entry
		},
	}
}

/** The reflector notices that a cluster is up again only if its own connection was lost; a failed write says nothing about that one. */
async function probeWhileDown(client: KubeClient, namespace: string, contact: Contact, signal: AbortSignal): Promise<void> {
	const path = collectionPath(NodeConfigKind, namespace)
	while (await sleep(RETRY_MS, signal)) {
		if (contact.state() !== 'down') continue
		// any response shows that the cluster is up, and the client reports it to `contact`
		await client.raw({ method: 'GET', path, query: { limit: 1 }, timeoutMs: RETRY_MS, signal, urgent: true }).catch(() => {})
	}
}

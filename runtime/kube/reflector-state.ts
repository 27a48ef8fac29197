import type { SetTimer } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Backoff } from './backoff.ts'
import type { Waits } from '../backoff.ts'
import type { KubeClient } from './client.ts'
import type { Kind, KubeObject, Stored } from './kind.ts'
import type { Selection } from './list.ts'
import type { Message } from './protobuf.ts'
import type { Change, MutableStore } from './store.ts'
import type { WriteOverlay } from './write-overlay.ts'

/**
 * How all objects are read: as the initial events of a watch, as a list in pages, or as a list in a single response. For objects that the
 * API server only serves as JSON (custom resources), a single response costs the server half as much as a watch list; with pages, a start
 * takes twice as long (measured with 10,000 objects).
 */
export type ListMode = 'watchlist' | 'paged' | 'single'

/** The current phase of a reflector. The reflector is synced in every phase except `listing`, to which it never returns. */
export type ReflectorState =
	/** Reads all objects for the first time; the store is empty. */
	| { phase: 'listing'; listMode: ListMode }
	/** Follows the changes after this resource version. */
	| { phase: 'watching'; resourceVersion: string }
	/** Reads all objects again; until all have been read, the store keeps its content. */
	| { phase: 'relisting'; listMode: ListMode }

export type ReflectorOptions<T extends KubeObject, P> = Selection & {
	client: KubeClient
	kind: Kind<T>
	/** How the watch reads an object from protobuf; fields that this does not read are missing. Default: the watch uses JSON. */
	protobuf?: Message<T>
	/**
	 * Returns the data to keep of an object; called during decoding, so that the rest is never held. Default: all except managedFields.
	 *
	 * @param before the stored data; undefined for the objects of a list. It may be from before a restore of the cluster
	 */
	project?: (object: Stored<T>, before?: P) => P
	/** Called for every change, in order, after the change is in the store. An error that it throws or rejects with is only logged. */
	onChange?: Change<P>
	/**
	 * Called when every change up to this resource version has been reported to `onChange`: after all objects have been read, and after each
	 * event of the watch, including bookmarks. Only a restore of the cluster from a backup makes the version go backwards.
	 *
	 * This is the only version that is reported for a deletion. Objects that were passed to `observeWrite` may have a later one.
	 *
	 * @param isList true if all objects have been read: an object that was created and deleted since the last version was not reported
	 */
	onReached?: (resourceVersion: string, isList: boolean) => void
	log: Log
	signal: AbortSignal
	/** How all objects are read; as a watch list only if the server supports it. Default: watchlist. */
	listMode?: ListMode
	/** Objects per page of a list. Default: 500. */
	pageSize?: number
	/** Resync period: how often every object is reported again unchanged, in milliseconds ± 10%. Default: never. */
	resyncMs?: number
	/** Idle time after which a watch is reopened, in milliseconds. Default: 90 000. */
	idleMs?: number
	/** The idle time during the initial events, in milliseconds. Default: 10 000. */
	initialIdleMs?: number
	/** Timer for the idle time of a watch. */
	setTimer?: SetTimer
	/** Source of randomness: 0 ≤ x < 1. */
	chance?: () => number
	/** First and maximum wait after a failure, in milliseconds. Default: 200 and 30 000. */
	backoff?: Waits
}

/** Counts since the start; `lists` counts how often all objects were requested, including by a watch. */
export type ReflectorCounts = { lists: number; watches: number; events: number; failures: number }

/** A running reflector. */
export type RunningReflector<T extends KubeObject, P> = {
	readonly options: ReflectorOptions<T, P>
	readonly store: MutableStore<P>
	readonly overlay: WriteOverlay<P>
	readonly counts: ReflectorCounts
	state: ReflectorState
	/** The list mode to use, unless it has just failed. */
	usualMode: ListMode
	/** Waits between watches that fail or end immediately. */
	readonly backoff: Backoff
	/** Waits before all objects are read again, which is expensive. */
	readonly relistBackoff: Backoff
	relistedAt: number
	/** When the API server last confirmed that the store is current. */
	heardMs: number | undefined
	/** Called each time all objects have been read and are in the store. */
	readonly onReplaced: () => void
}

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
 * API server only has in JSON (custom resources), a single response costs it half as much as a watch list; in pages a start takes twice as
 * long (measured, 10,000).
 */
export type ListMode = 'watchlist' | 'paged' | 'single'

/** What a reflector does now. It is synced in every phase except the first, and never returns to that one. */
export type ReflectorState =
	/** Reads all objects for the first time; the store is empty. */
	| { phase: 'listing'; listMode: ListMode }
	/** Follows the changes after that resource version. */
	| { phase: 'watching'; resourceVersion: string }
	/** Reads all objects again; until they are complete, the store keeps what it has. */
	| { phase: 'relisting'; listMode: ListMode }

export type ReflectorOptions<T extends KubeObject, P> = Selection & {
	client: KubeClient
	kind: Kind<T>
	/** How to read an object from protobuf, if the watch is to use it; fields that it does not read are missing. Default: JSON. */
	protobuf?: Message<T>
	/** Selects what to keep of an object; called while decoding, so that the rest is never held. Default: all except managedFields. */
	project?: (object: Stored<T>) => P
	/** Called for every change, in order, after the store holds it. Errors that it throws, or rejects with later, are only logged. */
	onChange?: Change<P>
	log: Log
	signal: AbortSignal
	/** How all objects are read; as a watch list only if the server supports it. Default: watchlist. */
	listMode?: ListMode
	/** Objects per page of a list. Default: 500. */
	pageSize?: number
	/** Resync period: how often every object is reported again unchanged, in milliseconds, give or take a tenth. Default: never. */
	resyncMs?: number
	/** Idle time after which a watch is reopened, in milliseconds. Default: 90 000. */
	idleMs?: number
	/** The same during the initial events. Default: 10 000. */
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
	/** How all objects are read, unless that has just failed. */
	usualMode: ListMode
	/** Waits between watches that fail or end immediately. */
	readonly backoff: Backoff
	/** Waits before all objects are read again, which is expensive. */
	readonly relistBackoff: Backoff
	relistedAt: number
	/** Called each time all objects have been read and are in the store. */
	readonly onReplaced: () => void
}

import type { FakeKind } from './kinds.ts'
import { type ApiObject, timestamp, valueAt } from './object.ts'

/** Finalizers that the garbage collector removes after it has processed them. */
export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

type Wish = { propagationPolicy?: string; gracePeriodSeconds?: number }

/**
 * Returns what remains of an object after a DELETE: the object marked for deletion, the same object if it was already marked, or undefined
 * if it is removed immediately.
 *
 * @param now milliseconds since 1970
 */
export function markedForDeletion(kind: FakeKind, object: ApiObject, wish: Wish, now: number): ApiObject | undefined {
	const grace = graceOf(kind, object, wish)
	const finalizers = finalizersWith(object, wish)
	const { deletionGracePeriodSeconds: left, ...metadata } = object.metadata as ApiObject['metadata'] & {
		deletionGracePeriodSeconds?: number
	}
	if (grace === 0 && finalizers.length === 0 && !valueAt(object, 'spec.finalizers')) return undefined
	if (metadata.deletionTimestamp && (left ?? 0) <= grace) return object
	const marked = {
		...metadata,
		...(finalizers.length > 0 && { finalizers }),
		...(metadata.generation && !metadata.deletionTimestamp && { generation: metadata.generation + 1 }),
		deletionTimestamp: timestamp(now + grace * 1_000),
		deletionGracePeriodSeconds: grace,
	}
	const phase = valueAt(object, 'spec.finalizers') ? { status: { phase: 'Terminating' } } : {}
	return { ...object, ...phase, metadata: marked }
}

/** Returns whether deletion of the object was requested and nothing blocks it any longer. */
export function isDone(object: ApiObject): boolean {
	const { deletionTimestamp, finalizers = [] } = object.metadata
	const waits = Number(valueAt(object, 'metadata.deletionGracePeriodSeconds') ?? 0) > 0
	return deletionTimestamp !== undefined && finalizers.length === 0 && !waits && !valueAt(object, 'spec.finalizers')
}

/** Returns the grace period in seconds. It is 0 for a pod that is not on a node or has ended. */
function graceOf({ graceful }: FakeKind, object: ApiObject, { gracePeriodSeconds }: Wish): number {
	if (!graceful || !valueAt(object, 'spec.nodeName')) return 0
	if (['Succeeded', 'Failed'].includes(String(valueAt(object, 'status.phase')))) return 0
	return gracePeriodSeconds ?? Number(valueAt(object, 'spec.terminationGracePeriodSeconds') ?? 30)
}

function finalizersWith({ metadata: { finalizers = [] } }: ApiObject, { propagationPolicy }: Wish): string[] {
	const asked = { Foreground: [FOREGROUND], Orphan: [ORPHAN] }[propagationPolicy ?? ''] ?? []
	return [...finalizers.filter(one => one !== FOREGROUND && one !== ORPHAN), ...asked]
}

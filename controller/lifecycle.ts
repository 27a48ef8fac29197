import { FINALIZER } from '../contract/names.ts'
import type { Decision } from './decision.ts'
import { isReplaced } from './machine.ts'
import { currentRun, succeeded } from './runs.ts'
import type { Snapshot } from './snapshot.ts'

/** Rules of taking hold of a node config and of letting it go. Pure. */

/** Deleted, and not ours to hold any longer. */
export function isReleased({ config }: Snapshot): Decision | undefined {
	if (config.deleting && !config.finalizers.includes(FINALIZER)) return { act: 'nothing', why: 'Released' }
	return undefined
}

/** Without the finalizer a deletion would leave the node configured: it comes before the first run. */
export function lacksFinalizer({ config }: Snapshot): Decision | undefined {
	if (config.deleting || config.finalizers.includes(FINALIZER)) return undefined
	return { act: 'adopt', why: 'FinalizerMissing', finalizer: true, withdraw: [] }
}

/** A node that is gone for good takes its configuration with it; another VM under its name was never configured by us. */
export function isDeletedWithItsNode(snapshot: Snapshot): Decision | undefined {
	if (!snapshot.config.deleting) return undefined
	if (!snapshot.node) return { act: 'release', why: 'NodeNotFound' }
	return isReplaced(snapshot) ? { act: 'release', why: 'NodeReplaced' } : undefined
}

/** The node was restored: nothing holds the deletion any longer. */
export function isCleaned(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	return snapshot.config.deleting && run && succeeded(run) ? { act: 'release', why: 'Cleaned' } : undefined
}

/** Deleted before its first run: there is nothing to clean. */
export function wasNeverRun({ config, runs }: Snapshot): Decision | undefined {
	const ran = config.status.lastJobName !== undefined || runs.some(run => run.uid === config.uid)
	return config.deleting && !ran ? { act: 'release', why: 'NeverRun' } : undefined
}

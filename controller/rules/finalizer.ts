import { hasNeverRun } from '../../contract/rollout.ts'
import { FINALIZER } from '../../contract/names.ts'
import type { Decision } from '../model/decision.ts'
import { isReplaced } from './node-identity.ts'
import { currentRun, succeeded } from '../model/runs.ts'
import type { Snapshot } from '../model/snapshot.ts'

/** Rules for adding the finalizer to a node config and for removing it. Pure. */

/** Does nothing for a deleted node config that no longer has MultiNIC's finalizer. */
export function whenReleased({ config }: Snapshot): Decision | undefined {
	if (config.deleting && !config.finalizers.includes(FINALIZER)) return { act: 'nothing', why: 'Released' }
	return undefined
}

/** Adds the finalizer before the first run: without it, a deletion would leave the node configured. */
export function whenFinalizerMissing({ config }: Snapshot): Decision | undefined {
	if (config.deleting || config.finalizers.includes(FINALIZER)) return undefined
	return { act: 'updateMetadata', why: 'FinalizerMissing', finalizer: true, answered: [] }
}

/** Releases a deleted node config whose node no longer exists, or is another VM with the same name: there is nothing to restore. */
export function whenDeletedWithNode(snapshot: Snapshot): Decision | undefined {
	if (!snapshot.config.deleting) return undefined
	if (!snapshot.node) return { act: 'release', why: 'NodeNotFound' }
	return isReplaced(snapshot) ? { act: 'release', why: 'NodeReplaced' } : undefined
}

/** Releases the node config once its node is restored. */
export function whenCleaned(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	return snapshot.config.deleting && run && succeeded(run) ? { act: 'release', why: 'Cleaned' } : undefined
}

/** Releases a node config that was deleted before its first run: there is nothing to clean up. */
export function whenNeverRun({ config, runs }: Snapshot): Decision | undefined {
	const ran = !hasNeverRun(config.status) || runs.some(run => run.uid === config.uid)
	return config.deleting && !ran ? { act: 'release', why: 'NeverRun' } : undefined
}

import { hasNeverRun } from '../../contract/rollout.ts'
import { FINALIZER } from '../../contract/names.ts'
import type { Decision } from '../model/decision.ts'
import { isReplaced } from './node-identity.ts'
import { currentRun, succeeded } from '../model/runs.ts'
import type { Snapshot } from '../model/snapshot.ts'

/** Rules for adding the finalizer to a node config and for removing it. Pure. */

/** Deleted, and already without MultiNIC's finalizer. */
export function isReleased({ config }: Snapshot): Decision | undefined {
	if (config.deleting && !config.finalizers.includes(FINALIZER)) return { act: 'nothing', why: 'Released' }
	return undefined
}

/** Without the finalizer, a deletion would leave the node configured, so it is added before the first run. */
export function lacksFinalizer({ config }: Snapshot): Decision | undefined {
	if (config.deleting || config.finalizers.includes(FINALIZER)) return undefined
	return { act: 'adopt', why: 'FinalizerMissing', finalizer: true, withdraw: [] }
}

/** A node that is gone takes its configuration with it; another VM with its name was never configured by MultiNIC. */
export function isDeletedWithItsNode(snapshot: Snapshot): Decision | undefined {
	if (!snapshot.config.deleting) return undefined
	if (!snapshot.node) return { act: 'release', why: 'NodeNotFound' }
	return isReplaced(snapshot) ? { act: 'release', why: 'NodeReplaced' } : undefined
}

/** The node is restored, so the node config can be released. */
export function isCleaned(snapshot: Snapshot): Decision | undefined {
	const run = currentRun(snapshot)
	return snapshot.config.deleting && run && succeeded(run) ? { act: 'release', why: 'Cleaned' } : undefined
}

/** Deleted before its first run: there is nothing to clean up. */
export function wasNeverRun({ config, runs }: Snapshot): Decision | undefined {
	const ran = !hasNeverRun(config.status) || runs.some(run => run.uid === config.uid)
	return config.deleting && !ran ? { act: 'release', why: 'NeverRun' } : undefined
}

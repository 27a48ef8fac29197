import { ANNOTATION_OWNER } from '../../contract/names.ts'
import type { Owner } from '../../contract/viola-api.ts'
import type { Entry } from '../model/entry.ts'
import { ownLabels } from '../model/manifest.ts'
import { ownerText } from '../model/owner.ts'
import type { Wanted } from '../model/wanted.ts'

/** What to do with a node config. `change` is a merge patch that the API server rejects if the object has changed since the decision. */
export type Decision =
	| { act: 'create' }
	| { act: 'patch' | 'patchOwner'; change: object }
	| { act: 'unchanged'; generation: number }
	| { act: 'terminating' }

/**
 * Decides how to bring a node config to the state that a POST requests.
 *
 * A patch contains only what viola writes, so that what users set on the object (`paused`, `mode`, their own labels) is kept. It never
 * contains the finalizer: the controller removes it when the NICs are restored.
 *
 * @param entry the node config as last read; undefined if it does not exist
 */
export function decide(entry: Entry | undefined, wanted: Wanted): Decision {
	if (!entry) return { act: 'create' }
	if (entry.isDeleting) return { act: 'terminating' }
	if (entry.digest !== wanted.digest) return { act: 'patch', change: contentPatch(entry, wanted) }
	if (wanted.owner && !isSameOwner(entry.owner, wanted.owner)) return { act: 'patchOwner', change: ownerPatch(entry, wanted.owner) }
	return { act: 'unchanged', generation: entry.generation }
}

/** A label or instance id that is no longer wanted is removed; otherwise the object would always differ from what is wanted. */
function contentPatch({ resourceVersion }: Entry, { object: { metadata, spec } }: Wanted): object {
	const { annotations } = metadata
	const labels = Object.fromEntries(ownLabels.map(name => [name, metadata.labels?.[name] ?? null]))
	return { metadata: { resourceVersion, labels, ...(annotations && { annotations }) }, spec: { instanceId: null, ...spec } }
}

function ownerPatch({ resourceVersion }: Entry, owner: Owner): object {
	return { metadata: { resourceVersion, annotations: { [ANNOTATION_OWNER]: ownerText(owner) } } }
}

function isSameOwner(stored: Owner | undefined, { namespace, name, uid }: Owner): boolean {
	return stored?.namespace === namespace && stored.name === name && stored.uid === uid
}

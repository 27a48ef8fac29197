import { NodeConfigStatus } from '../../contract/node-config.ts'
import type { ObjectMeta, Stored } from '../../runtime/kube/index.ts'
import { requestsIn } from '../model/requests.ts'
import { interned } from './intern.ts'
import type { NodeConfigObject } from '../model/node-config-kind.ts'
import { readSpec } from '../model/read-spec.ts'
import type { ConfigView } from '../model/snapshot.ts'

/**
 * Reduces a node config to the fields that decisions use; its status is checked against the schema.
 *
 * @param before an earlier view, whose parsed spec is reused if uid, generation and checksum are the same
 */
export function configView({ metadata, spec, status: found = {} }: Stored<NodeConfigObject>, before?: ConfigView): ConfigView {
	const isSameGeneration = before?.uid === metadata.uid && before.generation === metadata.generation
	const status = isOurs(metadata) ? found : {}
	return {
		name: metadata.name,
		namespace: interned(metadata.namespace ?? ''),
		uid: metadata.uid,
		resourceVersion: metadata.resourceVersion,
		generation: metadata.generation ?? 0,
		created: Date.parse(metadata.creationTimestamp),
		deleting: metadata.deletionTimestamp !== undefined,
		finalizers: interned(metadata.finalizers ?? []),
		requests: requestsIn(metadata.annotations),
		read: readSpec(interned(spec), isSameGeneration ? before.read : undefined),
		rawStatus: interned(found),
		// a status that does not match the schema is from an older version: it is ignored and will be overwritten; a valid one is not
		// copied, to save memory
		status: NodeConfigStatus.safeParse(status).success ? (status as NodeConfigStatus) : {},
	}
}

/** The field manager of the controller. */
export const MANAGER = 'multinic-controller'

/**
 * Whether the controller wrote the status for this object. A status that another writer wrote, or that is older than the object, belongs to
 * another object: a backup was restored, and Velero also restores managed fields. If the API server does not record the writer, the
 * controller wrote the status, because the admission policies allow no other writer.
 */
function isOurs({ managedFields = [], creationTimestamp = '' }: ObjectMeta): boolean {
	const writers = managedFields.filter(({ subresource }) => subresource === 'status')
	const isOfThis = (time: string | undefined) => !(Date.parse(time ?? '') < Date.parse(creationTimestamp))
	return writers.length === 0 || writers.some(({ manager, time }) => manager === MANAGER && isOfThis(time))
}

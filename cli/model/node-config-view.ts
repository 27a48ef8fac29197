import { clean, cleanAll } from '../../contract/clean.ts'
import { type Ask, ASKS } from '../../contract/names.ts'
import { NodeConfigStatus } from '../../contract/node-config.ts'
import { isCurrent, stateOf } from '../../contract/status.ts'
import type { KubeObject, Stored } from '../../runtime/kube/index.ts'

/** A node config as the API server returns it. Its spec is validated against the CRD; only the fields that are shown are declared here. */
export type NodeConfigObject = KubeObject & {
	spec?: { paused?: boolean; mode?: string; providerId?: string; interfaces?: unknown[] }
	status?: Readonly<Record<string, unknown>>
}

/** What users are shown of a node config. Times are milliseconds since 1970. */
export type ConfigView = {
	name: string
	uid: string
	generation: number
	created: number
	deleting: boolean
	paused: boolean
	mode: string
	wanted: number
	/** Values of the annotations with which a user requested a run, as long as they are not answered. */
	asked: Readonly<Record<Ask, string | undefined>>
	status: NodeConfigStatus
}

/** Converts an object to its view. A status of another shape is from an older program: nothing in it can be relied on. */
export function configView({ metadata, spec = {}, status = {} }: Stored<NodeConfigObject>): ConfigView {
	const notes = metadata.annotations ?? {}
	return {
		name: metadata.name,
		uid: metadata.uid,
		generation: metadata.generation ?? 0,
		created: Date.parse(metadata.creationTimestamp),
		deleting: metadata.deletionTimestamp !== undefined,
		paused: spec.paused === true,
		mode: clean(spec.mode ?? 'Apply'),
		wanted: spec.interfaces?.length ?? 0,
		asked: { retry: notes[ASKS.retry], plan: notes[ASKS.plan], verify: notes[ASKS.verify] },
		status: cleanAll(NodeConfigStatus.safeParse(status).data ?? {}),
	}
}

/** Reports whether the node matches its node config, and the controller has confirmed that for the current generation. */
export function isAsWanted(config: ConfigView): boolean {
	return !config.deleting && isCurrent(config) && stateOf(config) === 'Configured'
}

import { clean, cleanAll } from '../../contract/clean.ts'
import { type Ask, ASKS } from '../../contract/names.ts'
import { NodeConfigStatus } from '../../contract/node-config.ts'
import { isCurrent, stateOf } from '../../contract/status.ts'
import type { KubeObject, Stored } from '../../runtime/kube/index.ts'

/** A node config as the API server returns it. The CRD validates its spec; only the displayed fields are declared here. */
export type NodeConfigObject = KubeObject & {
	spec?: { paused?: boolean; mode?: string; providerId?: string; interfaces?: unknown[] }
	status?: Readonly<Record<string, unknown>>
}

/** The data of a node config that is shown to users. Times are milliseconds since 1970. */
export type ConfigView = {
	name: string
	uid: string
	generation: number
	created: number
	deleting: boolean
	paused: boolean
	mode: string
	wanted: number
	/** Values of the annotations with which a user requested a run, until the request is answered. */
	asked: Readonly<Record<Ask, string | undefined>>
	status: NodeConfigStatus
}

/** Converts an object to its view. A status that does not match the schema comes from an older version, and is ignored. */
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

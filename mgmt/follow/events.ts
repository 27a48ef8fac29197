import * as z from 'zod'
import { NodeName } from '../../contract/primitives.ts'
import { NodeConfigView } from '../../contract/viola-api.ts'
import { parseBounded } from '../../runtime/bounded-json.ts'
import type { StreamEvent } from '../../runtime/event-stream.ts'
import { faultsIn } from '../../runtime/faults.ts'

/** The meaning of an event. */
export type Meaning =
	| { kind: 'config'; view: NodeConfigView }
	| { kind: 'deleted'; nodeName: string }
	/** Everything has been sent. */
	| { kind: 'synced' }
	/** Everything is sent again. */
	| { kind: 'reset' }
	/** An event with an unknown name, for example of a later version. */
	| { kind: 'unknown' }
	/** `nodeName` is set if at least the name can be read. */
	| { kind: 'invalid'; fault: string; nodeName: string | undefined }

/** Limits for one event, above the size of any node config. */
const EVENT = { bytes: 1 << 20, depth: 16, values: 20_000 }

const Named = z.object({ nodeName: NodeName })

/** Parses an event of viola. */
export function meaningOf({ event, data }: StreamEvent): Meaning {
	if (event === 'synced' || event === 'reset') return { kind: event }
	if (event !== 'node-config' && event !== 'deleted') return { kind: 'unknown' }
	const json = parseBounded(data, EVENT)
	if ('fault' in json) return { kind: 'invalid', fault: json.fault, nodeName: undefined }
	const named = Named.safeParse(json.value)
	if (!named.success) return { kind: 'invalid', fault: faultsIn(named.error), nodeName: undefined }
	const { nodeName } = named.data
	if (event === 'deleted') return { kind: 'deleted', nodeName }
	const view = NodeConfigView.safeParse(json.value)
	return view.success ? { kind: 'config', view: view.data } : { kind: 'invalid', fault: faultsIn(view.error), nodeName }
}

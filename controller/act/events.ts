import { clean } from '../../contract/clean.ts'
import { cut } from '../../contract/conditions.ts'
import { NODE_CONFIG } from '../../contract/names.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import { condition } from '../../contract/status.ts'
import { eventName } from '../../runtime/event-name.ts'
import { apiVersionOf, type Event } from '../../runtime/kube/index.ts'
import type { ConfigView } from '../model/snapshot.ts'
import { timestamp } from '../model/format.ts'

const noteMax = 1_024

/** The content of an Event: one line of `kubectl describe`. */
export type Note = { type: 'Normal' | 'Warning'; reason: string; message: string; eventKey: string }

/** Reports that a Job was created. */
export function startedNote(job: string): Note {
	return { type: 'Normal', reason: 'RunStarted', message: `Job ${job} was created`, eventKey: `${job}.started` }
}

/** Repeats the reason and the message of the status. */
export function statusNote(status: NodeConfigStatus, eventKey = `${status.lastJobName}.result`): Note {
	const { reason = 'Unknown', message = '' } = condition(status, 'Ready') ?? {}
	const type = status.state === 'Failed' || reason === 'Conflict' ? 'Warning' : 'Normal'
	return { type, reason, message, eventKey }
}

/** Reports why the finalizer is removed; the Event outlives the node config. */
export function releasedNote(config: ConfigView, why: string): Note {
	const message = releasedBecause[why] ?? why
	return { type: 'Normal', reason: 'Released', message, eventKey: `${config.name}.${config.uid.slice(0, 8)}.released` }
}

const releasedBecause: Readonly<Record<string, string>> = {
	Cleaned: 'The node was restored',
	NeverRun: 'Nothing to clean up: no run was ever started',
	NodeNotFound: 'Nothing to clean up: the node no longer exists',
	NodeReplaced: 'Nothing to clean up: the node with this name is now another VM',
}

/** @param secret a value that no node can read, the same for every controller of this cluster */
export function eventOf(config: ConfigView, note: Note, { now, secret }: { now: number; secret: string }): Event {
	const at = timestamp(now)
	return {
		metadata: { name: eventName(note.eventKey, secret), namespace: config.namespace },
		involvedObject: {
			apiVersion: apiVersionOf(NODE_CONFIG),
			kind: NODE_CONFIG.kind,
			name: config.name,
			namespace: config.namespace,
			uid: config.uid,
			resourceVersion: config.resourceVersion,
		},
		type: note.type,
		reason: note.reason,
		message: cut(clean(note.message), noteMax),
		source: { component: 'multinic-controller' },
		firstTimestamp: at,
		lastTimestamp: at,
		count: 1,
	}
}

import { object, time } from '../runtime/kube/envelope.ts'
import { many, map, message, one, text } from '../runtime/kube/protobuf.ts'

/**
 * What is read of the objects of Kubernetes that decisions look at, by field numbers; nothing else of them is decoded.
 *
 * @see generated.proto of k8s.io/api, packages core/v1 and batch/v1
 */

export const nodePart = object({
	status: one(
		3,
		message({
			conditions: many(4, message({ type: one(1, text), status: one(2, text) })),
			addresses: many(5, message({ type: one(1, text), address: one(2, text) })),
			nodeInfo: one(7, message({ systemUUID: one(2, text), bootID: one(3, text) })),
		}),
	),
})
export type NodePart = ReturnType<typeof nodePart>

export const configMapPart = object({ data: map(2) })
export type ConfigMapPart = ReturnType<typeof configMapPart>

const jobCondition = message({
	type: one(1, text),
	status: one(2, text),
	lastTransitionTime: one(4, time),
	reason: one(5, text),
	message: one(6, text),
})
export const jobPart = object({ status: one(3, message({ conditions: many(1, jobCondition) })) })
export type JobPart = ReturnType<typeof jobPart>

const containerState = message({
	waiting: one(1, message({ reason: one(1, text), message: one(2, text) })),
	running: one(2, message({})),
	terminated: one(3, message({ message: one(4, text) })),
})
export const podPart = object({
	status: one(
		3,
		message({
			phase: one(1, text),
			message: one(3, text),
			reason: one(4, text),
			containerStatuses: many(8, message({ state: one(2, containerState) })),
		}),
	),
})
export type PodPart = ReturnType<typeof podPart>

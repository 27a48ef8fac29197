import { annotations, flag, labels, many, map, message, object, one, ownerReferences, text, time, whole } from '../../runtime/kube/index.ts'

/**
 * The fields of Kubernetes objects that decisions use, by field number; nothing else is decoded.
 *
 * @see generated.proto of k8s.io/api, packages core/v1 and batch/v1
 */

const nodeStatus = message({
	conditions: many(4, message({ type: one(1, text), status: one(2, text) })),
	addresses: many(5, message({ type: one(1, text), address: one(2, text) })),
	nodeInfo: one(7, message({ systemUUID: one(2, text), bootID: one(3, text) })),
})
const nodeSpec = message({ podCIDRs: many(7, text) })
export const nodePart = object({ labels }, { spec: one(2, nodeSpec), status: one(3, nodeStatus) })
export type NodePart = ReturnType<typeof nodePart>

export const configMapPart = object({ labels, annotations }, { data: map(2) })
export type ConfigMapPart = ReturnType<typeof configMapPart>

const jobCondition = message({
	type: one(1, text),
	status: one(2, text),
	lastTransitionTime: one(4, time),
	reason: one(5, text),
	message: one(6, text),
})
const jobSpec = message({ suspend: one(10, flag) })
const jobStatus = message({
	conditions: many(1, jobCondition),
	...{ active: one(4, whole), succeeded: one(5, whole), failed: one(6, whole), terminating: one(11, whole) },
})
export const jobPart = object({ labels }, { spec: one(2, jobSpec), status: one(3, jobStatus) })
export type JobPart = ReturnType<typeof jobPart>

const containerState = message({
	waiting: one(1, message({ reason: one(1, text), message: one(2, text) })),
	running: one(2, message({})),
	terminated: one(3, message({ exitCode: one(1, whole), reason: one(3, text), message: one(4, text), startedAt: one(5, time) })),
})
const containerStatus = message({ name: one(1, text), state: one(2, containerState) })
const podStatus = message({
	phase: one(1, text),
	message: one(3, text),
	reason: one(4, text),
	containerStatuses: many(8, containerStatus),
	initContainerStatuses: many(10, containerStatus),
})
const podSpec = message({ nodeName: one(10, text) })
export const podPart = object({ labels, ownerReferences }, { spec: one(2, podSpec), status: one(3, podStatus) })
export type PodPart = ReturnType<typeof podPart>

import type {
	CoreV1Event,
	V1ConfigMap,
	V1CustomResourceDefinition,
	V1Deployment,
	V1Job,
	V1Lease,
	V1Namespace,
	V1Node,
	V1Pod,
	V1Secret,
} from '@kubernetes/client-node'
import { defineKind, type ObjectMeta } from './kind.ts'

/** A client-node type in its wire format, in which times are strings. */
type Json<T> = T extends Date
	? string
	: T extends readonly (infer Item)[]
		? Json<Item>[]
		: T extends object
			? { [Key in keyof T]: Json<T[Key]> }
			: T

/** A client-node object type in the form used here: plain JSON, with metadata always set. */
export type Wire<T> = Json<Omit<T, 'metadata'>> & { metadata: ObjectMeta }

export type ConfigMap = Wire<V1ConfigMap>
export type CustomResourceDefinition = Wire<V1CustomResourceDefinition>
export type Deployment = Wire<V1Deployment>
export type Event = Wire<CoreV1Event>
export type Job = Wire<V1Job>
export type Lease = Wire<V1Lease>
export type Namespace = Wire<V1Namespace>
export type Node = Wire<V1Node>
export type Pod = Wire<V1Pod>
export type Secret = Wire<V1Secret>

const core = { group: '', version: 'v1', namespaced: true }

export const ConfigMap = defineKind<ConfigMap>({ ...core, plural: 'configmaps', kind: 'ConfigMap' })
export const Event = defineKind<Event>({ ...core, plural: 'events', kind: 'Event' })
export const Namespace = defineKind<Namespace>({ ...core, plural: 'namespaces', kind: 'Namespace', namespaced: false })
export const Node = defineKind<Node>({ ...core, plural: 'nodes', kind: 'Node', namespaced: false })
export const Pod = defineKind<Pod>({ ...core, plural: 'pods', kind: 'Pod' })
export const Secret = defineKind<Secret>({ ...core, plural: 'secrets', kind: 'Secret' })
export const Deployment = defineKind<Deployment>({
	group: 'apps',
	version: 'v1',
	plural: 'deployments',
	kind: 'Deployment',
	namespaced: true,
})
export const Job = defineKind<Job>({ group: 'batch', version: 'v1', plural: 'jobs', kind: 'Job', namespaced: true })
export const Lease = defineKind<Lease>({ group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true })
export const CustomResourceDefinition = defineKind<CustomResourceDefinition>({
	group: 'apiextensions.k8s.io',
	version: 'v1',
	plural: 'customresourcedefinitions',
	kind: 'CustomResourceDefinition',
	namespaced: false,
})

/** The public interface of runtime/kube: everything that rooms use from it. README.md describes its guarantees. */

export { loadAsKubectl, loadCredentials } from './auth.ts'
export { KubeClient } from './client.ts'
export { isKubeFailure } from './failures.ts'
export type { Credentials } from './kubeconfig/credentials.ts'
export { endOf } from './job-end.ts'
export { leadWhileElected } from './leader-election.ts'
export type { Page, Selection } from './list.ts'
export { type Reflector, startReflector } from './reflector.ts'
export type { Change } from './store.ts'
export { createTransport, type Transport, type TransportOptions } from './transport.ts'

/** Kinds and their objects. */
export {
	apiVersionOf,
	collectionPath,
	defineKind,
	type Kind,
	type KubeObject,
	keyOf,
	nameOf,
	type ObjectMeta,
	objectPath,
	type Stored,
} from './kind.ts'
export { ConfigMap, CustomResourceDefinition, Deployment, Event, Job, Lease, Namespace, Node, Pod, Secret } from './kinds.ts'

/** Tables of the fields that a watch decodes from protobuf. */
export { annotations, labels, object, ownerReferences, time } from './envelope.ts'
export { flag, many, map, message, one, text, whole } from './protobuf.ts'

import { NODE_CONFIG } from '../contract/names.ts'
import { defineKind } from '../runtime/kube/kind.ts'
import type { KubeObject } from '../runtime/kube/kind.ts'
import type { NodeConfigObject } from './view.ts'

/** What is asked of the API server besides Kubernetes' own kinds of `runtime/kube/kinds.ts`. */

export const NodeConfig = defineKind<NodeConfigObject>(NODE_CONFIG)

export type Deployment = KubeObject & { spec?: unknown; status?: unknown }

export const Deployment = defineKind<Deployment>({
	group: 'apps',
	version: 'v1',
	plural: 'deployments',
	kind: 'Deployment',
	namespaced: true,
})

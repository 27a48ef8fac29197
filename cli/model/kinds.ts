import { NODE_CONFIG } from '../../contract/names.ts'
import { defineKind, type KubeObject } from '../../runtime/kube/index.ts'
import type { NodeConfigObject } from './node-config-view.ts'

/** The kinds that the plugin reads in addition to those of `runtime/kube/kinds.ts`. */

export const NodeConfig = defineKind<NodeConfigObject>(NODE_CONFIG)

export type Deployment = KubeObject & { spec?: unknown; status?: unknown }

export const Deployment = defineKind<Deployment>({
	group: 'apps',
	version: 'v1',
	plural: 'deployments',
	kind: 'Deployment',
	namespaced: true,
})

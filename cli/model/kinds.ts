import { NODE_CONFIG } from '../../contract/names.ts'
import { defineKind } from '../../runtime/kube/index.ts'
import type { NodeConfigObject } from './node-config-view.ts'

/** The kind that the plugin reads in addition to the kinds in `runtime/kube/kinds.ts`. */

export const NodeConfig = defineKind<NodeConfigObject>(NODE_CONFIG)

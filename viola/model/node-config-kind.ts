import { NODE_CONFIG } from '../../contract/names.ts'
import type { NodeConfigSpec, NodeConfigStatus } from '../../contract/node-config.ts'
import { defineKind, type ObjectMeta } from '../../runtime/kube/index.ts'

/** A MultiNicNodeConfig as viola reads and writes it. */
export type NodeConfigObject = { metadata: ObjectMeta; spec: NodeConfigSpec; status?: NodeConfigStatus }

export const NodeConfigKind = defineKind<NodeConfigObject>(NODE_CONFIG)

import { NODE_CONFIG } from '../contract/names.ts'
import { defineKind } from '../runtime/kube/kind.ts'
import type { NodeConfigObject } from './view.ts'

/** A node config, as a client asks for it. */
export const NodeConfig = defineKind<NodeConfigObject>(NODE_CONFIG)

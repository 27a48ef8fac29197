import { NODE_CONFIG } from '../contract/names.ts'
import { defineKind } from '../runtime/kube/kind.ts'
import type { NodeConfigObject } from './view.ts'

/** The node config kind for the client. */
export const NodeConfig = defineKind<NodeConfigObject>(NODE_CONFIG)

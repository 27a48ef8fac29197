import { NODE_CONFIG } from '../../contract/names.ts'
import { defineKind, type KubeObject } from '../../runtime/kube/index.ts'

/** A node config as the API server returns it. */
export type NodeConfigObject = KubeObject & { spec?: unknown; status?: Readonly<Record<string, unknown>> }

/** The node config kind for the client. */
export const NodeConfig = defineKind<NodeConfigObject>(NODE_CONFIG)

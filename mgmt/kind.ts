import { MGMT_GROUP, OPENSTACK_CONFIG } from '../contract/names.ts'
import type { OpenstackConfigSpec, OpenstackConfigStatus } from '../contract/openstack-config.ts'
import { defineKind, type ObjectMeta } from '../runtime/kube/index.ts'

export type OpenstackConfig = { metadata: ObjectMeta; spec: OpenstackConfigSpec; status?: OpenstackConfigStatus }

export const OpenstackConfigKind = defineKind<OpenstackConfig>(OPENSTACK_CONFIG)

/** While an OpenstackConfig has this finalizer, its nodes have not been withdrawn yet. */
export const WITHDRAW_FINALIZER = `${MGMT_GROUP}/withdraw`

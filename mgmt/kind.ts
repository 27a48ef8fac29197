import { MGMT_GROUP, MGMT_VERSION } from '../contract/names.ts'
import type { OpenstackConfigSpec, OpenstackConfigStatus } from '../contract/openstack-config.ts'
import { defineKind, type ObjectMeta } from '../runtime/kube/kind.ts'

export type OpenstackConfig = { metadata: ObjectMeta; spec: OpenstackConfigSpec; status?: OpenstackConfigStatus }

export const OpenstackConfigKind = defineKind<OpenstackConfig>({
	group: MGMT_GROUP,
	version: MGMT_VERSION,
	plural: 'openstackconfigs',
	kind: 'OpenstackConfig',
	namespaced: true,
})

/** While it is on an OpenstackConfig, what that had sent is not yet taken back. */
export const WITHDRAW_FINALIZER = `${MGMT_GROUP}/withdraw`

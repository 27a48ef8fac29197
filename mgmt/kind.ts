import { MGMT_GROUP, MGMT_VERSION } from '../contract/names.ts'
import type { OpenstackConfigSpec, OpenstackConfigStatus } from '../contract/openstack-config.ts'
import { defineKind, type ObjectMeta } from '../runtime/kube/index.ts'

export type OpenstackConfig = { metadata: ObjectMeta; spec: OpenstackConfigSpec; status?: OpenstackConfigStatus }

export const OpenstackConfigKind = defineKind<OpenstackConfig>({
	group: MGMT_GROUP,
	version: MGMT_VERSION,
	plural: 'openstackconfigs',
	kind: 'OpenstackConfig',
	namespaced: true,
})

/** While an OpenstackConfig has this finalizer, the nodes that it sent are not yet withdrawn. */
export const WITHDRAW_FINALIZER = `${MGMT_GROUP}/withdraw`

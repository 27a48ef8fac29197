import { NODE_CONFIG } from '../contract/names.ts'
import { ROLLOUT_STOP } from '../contract/rollout.ts'

/** One permission of the controller. Scope `namespace`: in its own namespace, by a Role; `cluster`: by a ClusterRole. */
export type Access = {
	apiGroup: string
	resource: string
	verbs: readonly string[]
	/** Only objects with these names. */
	names?: readonly string[]
	scope: 'namespace' | 'cluster'
}

/** Every permission that the controller uses; a test requires the chart's roles to match this list exactly. */
export const access: readonly Access[] = [
	{ apiGroup: NODE_CONFIG.group, resource: NODE_CONFIG.plural, verbs: ['list', 'watch', 'patch'], scope: 'namespace' },
	{ apiGroup: NODE_CONFIG.group, resource: `${NODE_CONFIG.plural}/status`, verbs: ['patch'], scope: 'namespace' },
	{ apiGroup: '', resource: 'configmaps', verbs: ['get', 'list', 'watch', 'create', 'delete'], scope: 'namespace' },
	{ apiGroup: '', resource: 'configmaps', names: [ROLLOUT_STOP], verbs: ['patch'], scope: 'namespace' },
	{ apiGroup: 'batch', resource: 'jobs', verbs: ['get', 'list', 'watch', 'create'], scope: 'namespace' },
	{ apiGroup: '', resource: 'pods', verbs: ['list', 'watch'], scope: 'namespace' },
	{ apiGroup: '', resource: 'events', verbs: ['create', 'list'], scope: 'namespace' },
	{ apiGroup: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'create', 'update'], scope: 'namespace' },
	{ apiGroup: '', resource: 'nodes', verbs: ['list', 'watch'], scope: 'cluster' },
]

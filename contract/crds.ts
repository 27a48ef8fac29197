import type { Crd, PrinterColumn } from './crd.ts'
import { NODE_CONFIG, OPENSTACK_CONFIG } from './names.ts'
import { NodeConfig } from './node-config.ts'
import { OpenstackConfig } from './openstack-config.ts'

const ready = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`

export const nodeConfigCrd: Crd = {
	group: NODE_CONFIG.group,
	names: {
		kind: NODE_CONFIG.kind,
		listKind: 'MultiNicNodeConfigList',
		plural: NODE_CONFIG.plural,
		singular: 'multinicnodeconfig',
		shortNames: ['mnnc'],
		categories: ['multinic'],
	},
	versions: [
		{ name: NODE_CONFIG.version, storage: true },
		{
			name: 'v1alpha1',
			storage: false,
			deprecationWarning: 'multinic.io/v1alpha1 MultiNicNodeConfig is deprecated; use multinic.io/v1, which has the same schema',
		},
	],
	schema: NodeConfig,
	selectableFields: ['.spec.nodeName', '.status.state'],
	columns: [
		column('Node', '.spec.nodeName'),
		column('State', '.status.state'),
		column('Interfaces', '.status.interfaces'),
		column('Reason', ready('reason')),
		column('Age', '.metadata.creationTimestamp', { type: 'date' }),
		column('Provider', '.spec.providerId', { priority: 1 }),
		column('Backend', '.status.backend', { priority: 1 }),
		column('Generation', '.metadata.generation', { type: 'integer', priority: 1 }),
		column('Job', '.status.lastJobName', { priority: 1 }),
		column('Message', ready('message'), { priority: 1 }),
	],
}

export const openstackConfigCrd: Crd = {
	group: OPENSTACK_CONFIG.group,
	names: {
		kind: OPENSTACK_CONFIG.kind,
		listKind: 'OpenstackConfigList',
		plural: OPENSTACK_CONFIG.plural,
		singular: 'openstackconfig',
		shortNames: ['osc'],
		categories: ['multinic'],
	},
	versions: [{ name: OPENSTACK_CONFIG.version, storage: true }],
	schema: OpenstackConfig,
	columns: [
		column('Ready', ready('status')),
		column('Reason', ready('reason')),
		column('Synced', '.status.lastSyncedAt', { type: 'date' }),
		column('Age', '.metadata.creationTimestamp', { type: 'date' }),
		column('Message', ready('message'), { priority: 1 }),
	],
}

export const crds: readonly Crd[] = [nodeConfigCrd, openstackConfigCrd]

function column(name: string, jsonPath: string, more: Partial<PrinterColumn> = {}): PrinterColumn {
	return { name, type: 'string', jsonPath, ...more }
}

import type { Kind } from '../../../runtime/kube/kind.ts'
import type { ApiObject } from './object.ts'
import type { FieldFault } from './refusal.ts'
import { anything, type Schema } from './schema.ts'

/** What the server must know of a kind. What is left out is as for a custom resource. */
export type FakeKind = Pick<Kind, 'group' | 'version' | 'plural' | 'kind' | 'namespaced'> & {
	/** Has a status subresource. Default: false. */
	status?: boolean
	/** Counts generations. Default: true. */
	generation?: boolean
	/** One of the API server's own: a write of the status may change metadata. Default: false. */
	builtIn?: boolean
	/** PUT must say which version it replaces. Default: true, but false for the API server's own. */
	needsVersion?: boolean
	/** What a new object's status says, where it is not the client's to say. */
	newStatus?: object
	/** Deletion waits for a node to agree, as that of pods. Default: false. */
	graceful?: boolean
	/** Further versions under which the same objects are served. */
	alsoServed?: readonly string[]
	/** Fields beside metadata.name and metadata.namespace that can be selected by. */
	selectable?: readonly string[]
	/** What the objects may hold: the rest is dropped, or refused where the request is strict. Default: anything. */
	schema?: Schema
	/** What else is wrong with an object about to be written; `old` is undefined for a new one. */
	validate?: (object: ApiObject, old: ApiObject | undefined) => FieldFault[]
}

/** The kinds every server has. Their schemas tell the top of the objects only. */
export function builtInKinds(): FakeKind[] {
	return [
		core('Namespace', 'namespaces', { namespaced: false, status: true, newStatus: { phase: 'Active' }, schema: top('spec', 'status') }),
		core('Node', 'nodes', { namespaced: false, status: true, selectable: ['spec.unschedulable'], schema: top('spec', 'status') }),
		core('Pod', 'pods', {
			status: true,
			newStatus: { phase: 'Pending' },
			generation: true,
			graceful: true,
			selectable: ['spec.nodeName', 'spec.serviceAccountName', 'status.phase'],
			schema: top('spec', 'status'),
		}),
		core('ConfigMap', 'configmaps', { schema: top('data', 'binaryData', 'immutable') }),
		core('Secret', 'secrets', { selectable: ['type'], schema: top('data', 'stringData', 'type', 'immutable') }),
		core('Event', 'events', {
			selectable: ['involvedObject.name', 'involvedObject.uid', 'involvedObject.kind', 'reason', 'type'],
		}),
		core('ServiceAccount', 'serviceaccounts', {}),
		core('Job', 'jobs', { group: 'batch', status: true, newStatus: {}, generation: true, schema: top('spec', 'status') }),
		core('Deployment', 'deployments', { group: 'apps', status: true, newStatus: {}, generation: true, schema: top('spec', 'status') }),
		core('Lease', 'leases', { group: 'coordination.k8s.io', needsVersion: true, schema: top('spec') }),
		{ ...customResourceDefinitions, status: true, builtIn: true, generation: true, needsVersion: true, newStatus: established },
	]
}

export const customResourceDefinitions: FakeKind = {
	group: 'apiextensions.k8s.io',
	version: 'v1',
	plural: 'customresourcedefinitions',
	kind: 'CustomResourceDefinition',
	namespaced: false,
}

const established = {
	conditions: ['NamesAccepted', 'Established'].map(type => ({ type, status: 'True', reason: 'InitialNamesAccepted', message: '' })),
}

type Definition = {
	group: string
	scope: string
	names: { plural: string; kind: string }
	versions: {
		name: string
		served: boolean
		storage: boolean
		subresources?: { status?: object }
		selectableFields?: { jsonPath: string }[]
		schema?: { openAPIV3Schema?: Schema }
	}[]
}

/** The kind that a CustomResourceDefinition defines. Only its stored version's schema counts: nothing is converted here. */
export function definedKind(crd: ApiObject): FakeKind {
	const { group, scope, names, versions } = crd.spec as Definition
	const served = versions.filter(version => version.served)
	const stored = served.find(version => version.storage) ?? served[0]
	return {
		group,
		version: stored?.name ?? '',
		plural: names.plural,
		kind: names.kind,
		namespaced: scope === 'Namespaced',
		status: stored?.subresources?.status !== undefined,
		alsoServed: served.filter(version => version !== stored).map(({ name }) => name),
		selectable: (stored?.selectableFields ?? []).map(({ jsonPath }) => jsonPath.slice(1)),
		...(stored?.schema?.openAPIV3Schema && { schema: stored.schema.openAPIV3Schema }),
	}
}

function core(kind: string, plural: string, over: Partial<FakeKind>): FakeKind {
	return { group: '', version: 'v1', plural, kind, namespaced: true, builtIn: true, generation: false, ...over }
}

function top(...fields: string[]): Schema {
	return { type: 'object', properties: Object.fromEntries(fields.map(field => [field, anything])) }
}

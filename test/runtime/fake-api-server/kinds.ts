import type { Kind } from '../../../runtime/kube/kind.ts'
import type { ApiObject } from './object.ts'
import type { FieldFault } from './refusal.ts'
import { anything, type Schema } from './schema.ts'

/** What the server must know about a kind. Omitted fields are as for a custom resource. */
export type FakeKind = Pick<Kind, 'group' | 'version' | 'plural' | 'kind' | 'namespaced'> & {
	/** Has a status subresource. Default: false. */
	status?: boolean
	/** Counts generations. Default: true. */
	generation?: boolean
	/** Built into the API server: a write of the status may change metadata. Default: false. */
	builtIn?: boolean
	/** PUT must contain the version that it replaces. Default: true, but false for built-in kinds. */
	needsVersion?: boolean
	/** The status of a new object, if the client does not decide it. */
	newStatus?: object
	/** Deletion waits until a node confirms it, as for pods. Default: false. */
	graceful?: boolean
	/** Further versions under which the same objects are served. */
	alsoServed?: readonly string[]
	/** Fields that can be selected by, in addition to metadata.name and metadata.namespace. */
	selectable?: readonly string[]
	/** What the objects may contain: the rest is dropped, or rejected if the request is strict. Default: anything. */
	schema?: Schema
	/** Further errors of an object about to be written; `old` is undefined for a new one. */
	validate?: (object: ApiObject, old: ApiObject | undefined) => FieldFault[]
}

/** The kinds that every server has. Their schemas describe only the top level of the objects. */
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

/** Returns the kind that a CustomResourceDefinition defines. Only the schema of its stored version counts: nothing is converted here. */
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

import type { Kind } from '../../../runtime/kube/kind.ts'
import type { ApiObject } from './object.ts'
import type { FieldFault } from './refusal.ts'
import { anything, type Schema } from './schema.ts'

/** The server's settings for a kind. The defaults are those of a custom resource. */
export type FakeKind = Pick<Kind, 'group' | 'version' | 'plural' | 'kind' | 'namespaced'> & {
	/** Whether the kind has a status subresource. Default: false. */
	status?: boolean
	/** Whether the server maintains `metadata.generation`. Default: true. */
	generation?: boolean
	/** Whether the kind is built into the API server, so that a write of the status can change metadata. Default: false. */
	builtIn?: boolean
	/** Whether a PUT must contain the resource version that it replaces. Default: true, but false for built-in kinds. */
	needsVersion?: boolean
	/** The status of a new object, if the server sets it instead of the client. */
	newStatus?: object
	/** Whether deletion waits until a node confirms it, as for pods. Default: false. */
	graceful?: boolean
	/** Other versions under which the same objects are served. */
	alsoServed?: readonly string[]
	/** Fields that field selectors support in addition to metadata.name and metadata.namespace. */
	selectable?: readonly string[]
	/** Fields that the objects can contain. Unknown fields are dropped, or rejected if the request is strict. Default: anything. */
	schema?: Schema
	/** Returns additional errors of an object that is about to be written; `old` is undefined for a new object. */
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

/**
 * Returns the kind that a CustomResourceDefinition defines, with the schema of its storage version only, because objects are not converted
 * here.
 */
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

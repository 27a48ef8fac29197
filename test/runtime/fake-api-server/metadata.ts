import type { ObjectMeta } from '../../../runtime/kube/kind.ts'
import type { FakeKind } from './kinds.ts'
import type { FieldFault } from './refusal.ts'

/** Returns the errors in an object's metadata, for any kind; `before` is undefined for a new object. */
export function metadataFaults(kind: FakeKind, metadata: ObjectMeta, before: ObjectMeta | undefined): FieldFault[] {
	return [...nameFaults(kind, metadata), ...labelFaults(metadata), ...ownerFaults(metadata), ...finalizerFaults(metadata, before)]
}

const namePattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'
const nameRule = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${namePattern}')`
const isName = new RegExp(`^${namePattern}$`)
const isLabelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const labelRule = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`

function nameFaults({ kind }: FakeKind, { name }: ObjectMeta): FieldFault[] {
	const field = 'metadata.name'
	if (!name) return [{ field, message: 'Required value: name or generateName is required' }]
	const longest = kind === 'Namespace' ? 63 : 253
	if (name.length > longest) return [{ field, message: `Invalid value: "${name}": must be no more than ${longest} characters` }]
	if (kind === 'Namespace' && name.includes('.')) return [{ field, message: `Invalid value: "${name}": must not contain dots` }]
	return isName.test(name) ? [] : [{ field, message: `Invalid value: "${name}": ${nameRule}` }]
}

function labelFaults({ labels = {} }: ObjectMeta): FieldFault[] {
	const field = 'metadata.labels'
	return Object.values(labels).flatMap(value => {
		if (value.length > 63) return [{ field, message: `Invalid value: "${value}": must be no more than 63 characters` }]
		return isLabelValue.test(value) ? [] : [{ field, message: `Invalid value: "${value}": ${labelRule}` }]
	})
}

function ownerFaults({ ownerReferences = [] }: ObjectMeta): FieldFault[] {
	const needed = ['apiVersion', 'kind', 'name', 'uid'] as const
	return ownerReferences.flatMap(owner =>
		needed.flatMap(field =>
			owner[field] ? [] : [{ field: `metadata.ownerReferences.${field}`, message: 'Invalid value: "": must not be empty' }],
		),
	)
}

function finalizerFaults({ finalizers = [] }: ObjectMeta, before: ObjectMeta | undefined): FieldFault[] {
	const added = finalizers.filter(one => !before?.finalizers?.includes(one))
	if (!before?.deletionTimestamp || added.length === 0) return []
	const found = added.map(one => JSON.stringify(one)).join(', ')
	const rule = 'no new finalizers can be added if the object is being deleted, found new finalizers'
	return [{ field: 'metadata.finalizers', message: `Forbidden: ${rule} []string{${found}}` }]
}

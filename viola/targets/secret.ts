import { createHash } from 'node:crypto'
import { ANNOTATION_TARGET_CONTEXT, ANNOTATION_TARGET_NAMESPACE, LABEL_PROVIDER_ID } from '../../contract/names.ts'
import { ObjectName } from '../../runtime/env.ts'
import { type InlineKubeconfig, readInlineKubeconfig, type Secret, type Stored } from '../../runtime/kube/index.ts'
import { type Access, DEFAULT_NAMESPACE, type Target } from './target.ts'

/** The data that viola keeps of a Secret that defines a biz cluster. */
export type SecretTarget = {
	readonly target: Target
	readonly name: string
	readonly uid: string
	/** RFC 3339, so that the alphabetical order is the order in time. */
	readonly createdAt: string
	/** Why the current version of the Secret cannot be used. */
	readonly fault?: string
}

/** Reads a Secret. It never throws, because one invalid Secret must not stop the watch of the others. */
export function readSecret({ metadata, data = {} }: Stored<Secret>): SecretTarget {
	const { name, namespace = '', uid, creationTimestamp: createdAt, labels = {}, annotations = {} } = metadata
	const providerId = labels[LABEL_PROVIDER_ID] ?? ''
	const inNamespace = annotations[ANNOTATION_TARGET_NAMESPACE] ?? DEFAULT_NAMESPACE
	const access = readAccess(providerId, inNamespace, () => kubeconfigIn(data, annotations[ANNOTATION_TARGET_CONTEXT]))
	const target = {
		providerId,
		namespace: inNamespace,
		source: `Secret ${namespace}/${name}`,
		access,
		place: JSON.stringify(placeOf(access, inNamespace)),
		version: createHash('sha256')
			.update(JSON.stringify([access, inNamespace]))
			.digest('hex'),
	}
	return { target, name, uid, createdAt, ...(access.from === 'nowhere' && { fault: access.fault }) }
}

/** Returns the entry to keep of a changed Secret: if its new version cannot be used, the last version that could be stays in use. */
export function keepValid(now: SecretTarget, before: SecretTarget | undefined): SecretTarget {
	const isSame = before?.uid === now.uid && before.target.providerId === now.target.providerId
	if (!isSame || now.fault === undefined || before.target.access.from === 'nowhere') return now
	return { ...now, target: before.target, fault: `${now.fault}; its last valid version stays in use` }
}

function readAccess(providerId: string, namespace: string, kubeconfig: () => Read): Access {
	if (providerId === '') return { from: 'nowhere', fault: `label ${LABEL_PROVIDER_ID} is empty` }
	if (!ObjectName.max(63).safeParse(namespace).success)
		return { from: 'nowhere', fault: `annotation ${ANNOTATION_TARGET_NAMESPACE} must be the name of a namespace` }
	const read = kubeconfig()
	return 'fault' in read ? { from: 'nowhere', fault: read.fault } : { from: 'inline', kubeconfig: read.chosen }
}

type Read = { chosen: InlineKubeconfig } | { fault: string }

/** The keys that may contain the kubeconfig; Cluster API writes `value`. */
const KEYS = ['kubeconfig', 'value']

function kubeconfigIn(data: Readonly<Record<string, string>>, context: string | undefined): Read {
	const [key, other] = KEYS.filter(name => data[name] !== undefined)
	if (key === undefined) return { fault: `it has neither key ${KEYS.join(' nor ')}` }
	if (other !== undefined) return { fault: `it has both keys ${KEYS.join(' and ')}; only one is allowed` }
	const read = readInlineKubeconfig(Buffer.from(data[key] ?? '', 'base64').toString('utf8'), context)
	return 'fault' in read ? { fault: `key ${key}: ${read.fault}` } : read
}

function placeOf(access: Access, namespace: string): unknown[] {
	return access.from === 'inline' ? ['inline', access.kubeconfig.cluster.server, namespace] : ['nowhere']
}

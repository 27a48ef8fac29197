import {
	AGENT_MANAGER,
	ANNOTATION_RETRY,
	CONFIG_KEY,
	FINALIZER,
	LABEL_INSTANCE_ID,
	LABEL_NODE_NAME,
	REPORT_KEY,
} from '../../contract/names.ts'
import type { Request } from '../../runtime/kube/request.ts'

/**
 * The accounts. The editor and the viewer have the default roles of Kubernetes; the careless one has every permission on everything in the
 * API group of MultiNIC.
 */
export const accounts = ['controller', 'agent', 'viola', 'editor', 'viewer', 'careless', 'nobody'] as const
export type Account = (typeof accounts)[number]

/** An attempt, the accounts that may do it, and the message for accounts that are rejected by a policy and not for lack of a permission. */
export type Act = { act: string; may: readonly Account[]; said?: Partial<Record<Account, string>>; request: Request }

export const namespace = 'multinic-system'
const at = (path: string) => path.replace('/…/', `/namespaces/${namespace}/`)
const query = { dryRun: 'All', fieldManager: AGENT_MANAGER, force: undefined }
const get = (path: string): Request => ({ method: 'GET', path: at(path) })
const post = (path: string, body: object): Request => ({ method: 'POST', path: at(path), query, body })
const put = (path: string, body: object): Request => ({ method: 'PUT', path: at(path), query, body })
const remove = (path: string): Request => ({ method: 'DELETE', path: at(path), query: { dryRun: 'All' } })
const merge = (path: string, body: object): Request => ({
	...{ method: 'PATCH', path: at(path), query, body },
	contentType: 'application/merge-patch+json',
})
const apply = (path: string, body: object): Request => ({
	...{ method: 'PATCH', path: at(path), query: { ...query, force: true }, body },
	contentType: 'application/apply-patch+yaml',
})

const configs = '/apis/multinic.io/v1/…/multinicnodeconfigs'
const one = `${configs}/worker-1`
const maps = '/api/v1/…/configmaps'
const jobs = '/apis/batch/v1/…/jobs'
const leases = '/apis/coordination.k8s.io/v1/…/leases'

/** The node config named worker-1 has a finalizer, a label and a request; worker-2 has no such metadata. */
export const nodeConfig = (name: string, more = {}) => ({
	...{ apiVersion: 'multinic.io/v1', kind: 'MultiNicNodeConfig' },
	metadata: { name, namespace, ...more },
	spec: { nodeName: name, interfaces: [], specHash: 'one' },
})
export const runOf = (node: string, name = `run-${node}`) => ({
	...{ apiVersion: 'v1', kind: 'ConfigMap' },
	metadata: { name, namespace, labels: { [LABEL_NODE_NAME]: node } },
	data: { [CONFIG_KEY]: '{}' },
})
const containers = [{ name: 'a', image: 'a' }]
export const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'new', namespace }, spec: { nodeName: 'worker-1', containers } }
export const job = {
	...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'new', namespace } },
	spec: { template: { spec: { restartPolicy: 'Never', containers } } },
}
const otherSpec = { ...nodeConfig('worker-1').spec, paused: true }
const event = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'new', namespace }, involvedObject: { namespace }, reason: 'Tried' }

const writers: readonly Account[] = ['viola', 'editor', 'careless']
const lookers: readonly Account[] = ['viola', 'editor', 'viewer', 'careless']
const noOtherRun = 'the controller may only create and delete ConfigMaps of runs'
const noStop = 'only the controller may write this ConfigMap'
const pauseOf = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'multinic-rollout-pause', namespace } }
const noStatus = 'only the controller may write the status of a node config'

export const acts: readonly Act[] = [
	{ act: 'list node configs', may: ['controller', ...lookers], request: get(configs) },
	{ act: 'list node configs of all namespaces', may: [], request: get('/apis/multinic.io/v1/multinicnodeconfigs') },
	{ act: 'read one node config', may: lookers, request: get(one) },
	{ act: 'create a node config', may: writers, request: post(configs, nodeConfig('worker-3')) },
	{ act: 'create a node config by applying it', may: writers, request: apply(`${configs}/worker-3`, nodeConfig('worker-3')) },
	{ act: 'delete a node config', may: writers, request: remove(one) },
	{ act: 'replace a node config', may: writers, request: put(one, { ...nodeConfig('worker-1'), spec: otherSpec }) },
	{
		act: 'patch the spec',
		...{ may: writers, said: { controller: 'the controller must not change the spec' } },
		request: merge(one, { spec: { paused: true } }),
	},
	{
		act: 'patch the spec in the old version',
		...{ may: writers, said: { controller: 'the controller must not change the spec' } },
		request: merge(one.replace('/v1/', '/v1alpha1/'), { spec: { interfaces: [{ macAddress: 'fa:16:3e:37:c3:f1' }] } }),
	},
	{
		act: 'apply another spec',
		...{ may: writers, said: { controller: 'the controller must not change the spec' } },
		request: apply(one, { ...nodeConfig('worker-1'), spec: otherSpec }),
	},
	{
		act: 'change a label',
		...{ may: writers, said: { controller: 'must not change the labels or ownerReferences' } },
		request: merge(one, { metadata: { labels: { [LABEL_INSTANCE_ID]: 'another' } } }),
	},
	{
		act: 'add an owner reference',
		...{ may: writers, said: { controller: 'must not change the labels or ownerReferences' } },
		request: merge(one, { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'a' }] } }),
	},
	{
		act: 'request a run by an annotation',
		...{ may: writers, said: { controller: 'may only remove the request annotations' } },
		request: merge(one, { metadata: { annotations: { [ANNOTATION_RETRY]: 'again' } } }),
	},
	{
		act: 'remove a request annotation',
		may: ['controller', ...writers],
		request: merge(one, { metadata: { annotations: { [ANNOTATION_RETRY]: null } } }),
	},
	{
		act: 'remove another annotation',
		...{ may: writers, said: { controller: 'may only remove the request annotations' } },
		request: merge(one, { metadata: { annotations: { note: null } } }),
	},
	{
		act: 'add the finalizer of MultiNIC',
		may: ['controller', ...writers],
		request: merge(`${configs}/worker-2`, { metadata: { finalizers: [FINALIZER] } }),
	},
	{
		act: 'remove the finalizer of MultiNIC',
		may: ['controller', ...writers],
		request: merge(one, { metadata: { finalizers: ['example.org/other'] } }),
	},
	{
		act: 'remove the finalizer of another client',
		...{ may: writers, said: { controller: 'may only add or remove its own finalizer' } },
		request: merge(one, { metadata: { finalizers: [FINALIZER] } }),
	},
	{
		act: 'patch the status',
		...{ may: ['controller'], said: { careless: noStatus } },
		request: merge(`${one}/status`, { status: { state: 'Configured' } }),
	},
	{
		act: 'apply a status',
		...{ may: ['controller'], said: { careless: noStatus } },
		request: apply(`${one}/status`, {
			...{ apiVersion: 'multinic.io/v1', kind: 'MultiNicNodeConfig' },
			...{ metadata: { name: 'worker-1' }, status: { state: 'Configured' } },
		}),
	},
	{
		act: 'replace the status',
		...{ may: [], said: { careless: noStatus } },
		request: put(`${one}/status`, { ...nodeConfig('worker-1'), status: { state: 'Configured' } }),
	},

	{ act: 'create the ConfigMap of a run', may: ['controller', 'editor'], request: post(maps, runOf('worker-1', 'new')) },
	{ act: 'delete the ConfigMap of a run', may: ['controller', 'editor'], request: remove(`${maps}/run-worker-1`) },
	{ act: 'read the ConfigMap of a run', may: ['controller', 'editor', 'viewer'], request: get(`${maps}/run-worker-1`) },
	{
		act: 'write the report of a run on worker-1',
		may: ['agent', 'editor'],
		request: merge(`${maps}/run-worker-1`, { data: { [REPORT_KEY]: '{}' } }),
	},
	{
		act: 'write the report of a run on worker-2',
		...{ may: ['editor'], said: { agent: 'node worker-1 must not update the ConfigMap of a run on node worker-2' } },
		request: merge(`${maps}/run-worker-2`, { data: { [REPORT_KEY]: '{}' } }),
	},
	{
		act: 'change the input of a run',
		...{ may: ['editor'], said: { agent: 'may only write the key report.json' } },
		request: merge(`${maps}/run-worker-1`, { data: { [CONFIG_KEY]: '{"mode":"Cleanup"}' } }),
	},
	{
		act: 'record a stop of the rollout',
		...{ may: ['controller'], said: { editor: noStop } },
		request: post(maps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'multinic-rollout-stop', namespace } }),
	},
	{
		act: 'pause the rollout with a ConfigMap that is labelled as a run',
		...{ may: ['editor'], said: { controller: noOtherRun } },
		request: post(maps, runOf('worker-1', 'multinic-rollout-pause')),
	},
	{ act: 'pause the rollout', may: ['editor'], said: { controller: noOtherRun }, request: post(maps, pauseOf) },
	{
		act: "change the rollout's settings",
		...{ may: ['editor'], said: { agent: 'node worker-1 must not update the ConfigMap of a run on node' } },
		request: merge(`${maps}/multinic-rollout`, { data: { paused: 'true' } }),
	},
	{
		act: "delete the rollout's settings",
		...{ may: ['editor'], said: { controller: noOtherRun } },
		request: remove(`${maps}/multinic-rollout`),
	},
	{
		act: 'create a ConfigMap that does not belong to a run',
		...{ may: ['editor'], said: { controller: noOtherRun } },
		request: post(maps, { metadata: { name: 'new', namespace } }),
	},

	{ act: 'list Jobs', may: ['controller', 'editor', 'viewer'], request: get(jobs) },
	{
		act: 'create a Job that does not belong to a run',
		...{ may: ['editor'], said: { controller: 'the Job of a run must have one owner' } },
		request: post(jobs, job),
	},
	{ act: 'change a Job', may: ['editor'], request: merge(`${jobs}/there`, { spec: { suspend: true } }) },
	{ act: 'delete a Job', may: ['editor'], request: remove(`${jobs}/there`) },
	{ act: 'list pods', may: ['controller', 'editor', 'viewer'], request: get('/api/v1/…/pods') },
	{ act: 'create a pod', may: ['editor'], request: post('/api/v1/…/pods', pod) },
	{ act: 'delete a pod', may: ['editor'], request: remove('/api/v1/…/pods/run-worker-1-x7k2p') },
	{ act: 'read a Secret', may: ['editor'], request: get('/api/v1/…/secrets/there') },
	{ act: 'list Secrets', may: ['editor'], request: get('/api/v1/…/secrets') },
	{ act: 'list Secrets of all namespaces', may: [], request: get('/api/v1/secrets') },
	{ act: 'read the lease', may: ['controller', 'editor'], request: get(`${leases}/there`) },
	{
		act: 'acquire the lease',
		may: ['controller', 'editor'],
		request: put(`${leases}/there`, { metadata: { name: 'there', namespace }, spec: { holderIdentity: 'me' } }),
	},
	{ act: 'delete the lease', may: ['editor'], request: remove(`${leases}/there`) },
	{ act: 'create an Event', may: ['controller', 'editor'], request: post('/api/v1/…/events', event) },
	{ act: 'list Nodes', may: ['controller'], request: get('/api/v1/nodes') },
	{ act: 'cordon a Node', may: [], request: merge('/api/v1/nodes/worker-1', { spec: { unschedulable: true } }) },
	{
		act: "get a token of the controller's account",
		may: ['editor'],
		request: post('/api/v1/…/serviceaccounts/multinic-controller/token', { spec: { expirationSeconds: 600 } }),
	},
	{
		act: 'change a role',
		may: [],
		request: merge('/apis/rbac.authorization.k8s.io/v1/…/roles/multinic-controller', { rules: [] }),
	},
	{
		act: 'delete an admission policy',
		may: [],
		request: remove('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/multinic-controller-status'),
	},
	{
		act: 'change the CRD',
		may: [],
		request: merge('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/multinicnodeconfigs.multinic.io', { spec: {} }),
	},
]

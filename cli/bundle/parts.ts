import about from '../../package.json' with { type: 'json' }
import { CONTROLLER_LEASE, GROUP, LABEL_CONFIG_UID, LABEL_PART_OF, PART_OF } from '../../contract/names.ts'
import { ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP } from '../../contract/rollout.ts'
import {
	ConfigMap,
	CustomResourceDefinition,
	Deployment,
	Event,
	Job,
	type Kind,
	type KubeObject,
	Lease,
	Node,
	type Page,
	Pod,
	type Selection,
	type Stored,
} from '../../runtime/kube/index.ts'
import { NodeConfig } from '../model/kinds.ts'
import { OF_ACCOUNTS } from '../read/run-pods.ts'
import type { Session } from '../read/session.ts'
import type { Part } from './collect.ts'
import { leanNode, leanObject } from './lean.ts'

/** Selects objects of MultiNIC itself: the objects of the agent and of the controller. */
export const OURS = `${LABEL_PART_OF}=${PART_OF}`

/** Objects per page. */
const PAGE = 100
/** Maximum size of one file of objects (characters). */
const PART_MAX = 64 * 1_048_576

/** Returns every part that contains objects. Secrets are not read, nor objects outside MultiNIC's namespace except Nodes and the CRD. */
export function objectParts({ cluster, signal }: Session): Part[] {
	const { client, namespace } = cluster
	const list =
		<T extends KubeObject>(kind: Kind<T>, selection: Omit<Selection, 'namespace'> = {}) =>
		() =>
			textOf(client.pages(kind, { namespace, limit: PAGE, signal, ...selection }), leanObject)
	const one =
		<T extends KubeObject>(kind: Kind<T>, name: string) =>
		async () =>
			text(leanObject(await client.get(kind, kind.namespaced ? { namespace, name } : { name }, { signal })))
	return [
		{ path: 'node-configs.json', what: 'node configs, with status', read: list(NodeConfig) },
		{ path: 'rollout.json', what: 'rollout settings, pause and stop', read: rollout },
		{
			path: 'runs/configmaps.json',
			what: 'input and report of each run',
			read: list(ConfigMap, { labelSelector: LABEL_CONFIG_UID }),
		},
		{ path: 'runs/jobs.json', what: 'Jobs of the runs', read: list(Job, { labelSelector: LABEL_CONFIG_UID }) },
		{
			path: 'pods.json',
			what: 'pods of the runs and of the controller',
			read: list(Pod, { labelSelector: OURS, fieldSelector: OF_ACCOUNTS }),
		},
		{ path: 'deployments.json', what: 'Deployment of the controller', read: list(Deployment, { labelSelector: OURS }) },
		{ path: 'lease.json', what: 'the Lease of the controller', read: one(Lease, CONTROLLER_LEASE) },
		{ path: 'events.json', what: 'Events of the namespace', read: list(Event) },
		{
			path: 'crd.json',
			what: 'the installed CRD of node configs',
			read: one(CustomResourceDefinition, `multinicnodeconfigs.${GROUP}`),
		},
		{ path: 'nodes.json', what: 'Nodes: roles, taints, conditions, addresses, systems', read: nodes },
		{ path: 'versions.json', what: 'versions of this plugin and of Kubernetes', read: versions },
	]

	/** The ConfigMaps of the pause and the stop exist only after the first pause or stop. */
	async function rollout(): Promise<string> {
		const names = [ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP]
		const found = await Promise.all(names.map(name => client.find(ConfigMap, { namespace, name }, { signal })))
		return text(found.flatMap(one => (one ? [leanObject(one)] : [])))
	}

	function nodes(): Promise<string> {
		return textOf(client.pages(Node, { limit: PAGE, signal }), leanNode)
	}

	async function versions(): Promise<string> {
		const kubernetes = await client.raw({ method: 'GET', path: '/version', signal })
		return text({ plugin: about.version, node: process.version, kubernetes })
	}
}

/**
 * Returns objects as a JSON array of limited size: a kubelet may write any number of Events, and Events and the status of its Node may be
 * as large as the API server accepts.
 */
async function textOf<T extends KubeObject>(pages: AsyncIterable<Page<T>>, lean: (object: Stored<T>) => object): Promise<string> {
	const parts: string[] = []
	let left = PART_MAX
	for await (const { items } of pages) {
		for (const item of items) {
			const part = JSON.stringify(lean(item), undefined, 1)
			left -= part.length
			parts.push(left < 0 ? JSON.stringify(`The list is longer than ${PART_MAX / 1_048_576} MiB; the rest is omitted.`) : part)
			if (left < 0) return join(parts)
		}
	}
	return join(parts)
}

function join(parts: readonly string[]): string {
	return `[\n${parts.join(',\n')}\n]\n`
}

function text(value: unknown): string {
	return `${JSON.stringify(value, undefined, 1)}\n`
}

import about from '../../package.json' with { type: 'json' }
import { GROUP, LABEL_CONFIG_UID } from '../../contract/names.ts'
import { ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP } from '../../contract/rollout.ts'
import type { Kind, KubeObject } from '../../runtime/kube/kind.ts'
import { ConfigMap, CustomResourceDefinition, Event, Job, Lease, Node, Pod } from '../../runtime/kube/kinds.ts'
import { Deployment, NodeConfig } from '../kinds.ts'
import type { Session } from '../session.ts'
import type { Part } from './collect.ts'
import { leanNode, leanObject } from './lean.ts'

/** What of our own making carries this label: the agent's and the controller's objects. */
export const OURS = 'app.kubernetes.io/part-of=multinic'

/** Every file of objects. Secrets are not among them, nor anything outside MultiNIC's namespace but Nodes and the CRD. */
export function objectParts({ cluster, signal }: Session): Part[] {
	const { client, namespace } = cluster
	const list =
		<T extends KubeObject>(kind: Kind<T>, labelSelector = '') =>
		async () => {
			const { items } = await client.list(kind, { namespace, labelSelector, signal })
			return text(items.map(leanObject))
		}
	const one =
		<T extends KubeObject>(kind: Kind<T>, name: string) =>
		async () =>
			text(leanObject(await client.get(kind, kind.namespaced ? { namespace, name } : { name }, { signal })))
	return [
		{ path: 'node-configs.json', what: 'node configs, with status', read: list(NodeConfig) },
		{ path: 'rollout.json', what: 'the settings of the rollout, who pauses it, and who stops it', read: rollout },
		{ path: 'runs/configmaps.json', what: 'what each run was to do, and its report', read: list(ConfigMap, LABEL_CONFIG_UID) },
		{ path: 'runs/jobs.json', what: 'the Jobs of the runs', read: list(Job, LABEL_CONFIG_UID) },
		{ path: 'pods.json', what: 'pods of the runs and of the controller', read: list(Pod, OURS) },
		{ path: 'deployments.json', what: 'the controller as it is wanted', read: list(Deployment, OURS) },
		{ path: 'lease.json', what: 'which controller leads', read: one(Lease, 'multinic-controller') },
		{ path: 'events.json', what: 'Events of the namespace', read: list(Event) },
		{
			path: 'crd.json',
			what: 'the kind of node configs as it is installed',
			read: one(CustomResourceDefinition, `multinicnodeconfigs.${GROUP}`),
		},
		{ path: 'nodes.json', what: 'Nodes: roles, taints, conditions, addresses, systems', read: nodes },
		{ path: 'versions.json', what: 'of this plugin and of Kubernetes', read: versions },
	]

	/** The pause and the stop are there only once there was one. */
	async function rollout(): Promise<string> {
		const names = [ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP]
		const found = await Promise.all(names.map(name => client.find(ConfigMap, { namespace, name }, { signal })))
		return text(found.flatMap(one => (one ? [leanObject(one)] : [])))
	}

	async function nodes(): Promise<string> {
		return text((await client.list(Node, { signal })).items.map(leanNode))
	}

	async function versions(): Promise<string> {
		const kubernetes = await client.raw({ method: 'GET', path: '/version', signal })
		return text({ plugin: about.version, node: process.version, kubernetes })
	}
}

function text(value: unknown): string {
	return `${JSON.stringify(value, undefined, 1)}\n`
}

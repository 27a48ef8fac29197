import type { RunConfig, RunMark } from '../../contract/agent-run.ts'
import type { ChartLimits } from '../../contract/chart-limits.ts'
import { settle } from '../../contract/interface.ts'
import {
	AGENT_CONTAINER,
	ANNOTATION_BOOT_ID,
	ANNOTATION_CAUSE,
	ANNOTATION_FAILURES,
	ANNOTATION_POD_NETWORKS,
	CONFIG_KEY,
	LABEL_ATTEMPT,
	LABEL_CONFIG_UID,
	LABEL_GENERATION,
	LABEL_MODE,
	LABEL_NODE_NAME,
	LABEL_PART_OF,
	NODE_CONFIG,
	PART_OF,
	RUN_APP,
} from '../../contract/names.ts'
import { apiVersionOf, type ConfigMap, type Job } from '../../runtime/kube/index.ts'
import type { AgentPod } from './agent-pod.ts'
import { answering } from '../model/requests.ts'
import type { NewRun } from '../model/decision.ts'
import { hostPaths, securityContext } from './host-access.ts'
import { runName } from '../../contract/run-name.ts'
import type { ConfigView, NodeView } from '../model/snapshot.ts'
import { podNetworksOf } from '../model/runs.ts'

/** The manifests of a run. Pure. */

/** How the agent runs; from the environment, the same for every run. */
export type AgentSettings = {
	image: string
	imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
	imagePullSecrets: readonly string[]
	serviceAccount: string
	activeDeadlineSeconds: number
	waitForDeviceSeconds: number
	commitTimeoutSeconds: number
	/** False: the container has only the capabilities and the host paths that a run needs. */
	privileged: boolean
	/** The first of the ten route tables and of the ten rule priorities on a node. */
	routeTableBase: number
	rulePriorityBase: number
	/** What node configs may request outside the own route tables of their interfaces. */
	limits: ChartLimits
	pod: AgentPod
}

/** Labels of both objects of a run, so that "already exists" can be distinguished from objects of other clients. */
export function runLabels(config: ConfigView, { attempt, mode }: Pick<NewRun, 'attempt' | 'mode'>): Record<string, string> {
	return {
		'app.kubernetes.io/name': RUN_APP,
		[LABEL_PART_OF]: PART_OF,
		[LABEL_NODE_NAME]: config.name,
		[LABEL_CONFIG_UID]: config.uid,
		[LABEL_GENERATION]: String(config.generation),
		[LABEL_ATTEMPT]: String(attempt),
		[LABEL_MODE]: mode,
	}
}

/** The ConfigMap that gives the run its input and takes its report. */
export function runConfigMap(config: ConfigView, run: NewRun, input: RunConfig, node?: NodeView): ConfigMap {
	return {
		metadata: {
			name: runName(config, run.attempt),
			namespace: config.namespace,
			labels: runLabels(config, run),
			annotations: {
				[ANNOTATION_CAUSE]: run.cause,
				[ANNOTATION_FAILURES]: String(run.failures),
				...(node?.bootID !== undefined && { [ANNOTATION_BOOT_ID]: node.bootID }),
				...(node && { [ANNOTATION_POD_NETWORKS]: podNetworksOf(node) }),
				...answering(run.asked),
			},
			ownerReferences: [
				{ apiVersion: apiVersionOf(NODE_CONFIG), kind: NODE_CONFIG.kind, name: config.name, uid: config.uid, controller: true },
			],
		},
		data: { [CONFIG_KEY]: `${JSON.stringify(input, null, 1)}\n` },
	}
}

/** The input of the agent. A clean-up has no desired interfaces, whatever the spec says. */
export function runInput(config: ConfigView, run: NewRun, world: RunWorld): RunConfig {
	return {
		version: 1,
		...runMark(config, run),
		interfaces: run.mode === 'Cleanup' ? [] : settle(world.interfaces),
		nodeAddresses: [...(world.node?.internalIps ?? [])],
		routeTableBase: world.agent.routeTableBase,
		rulePriorityBase: world.agent.rulePriorityBase,
		allowMainTableRoutes: [...world.agent.limits.allowMainTableRoutes],
		allowDefaultRoute: world.agent.limits.allowDefaultRoute,
		protectedNetworks: [...world.agent.limits.protectedNetworks],
		podNetworks: [...world.agent.limits.podNetworks, ...(world.node?.podNetworks ?? [])],
		waitForDeviceSeconds: world.agent.waitForDeviceSeconds,
		commitTimeoutSeconds: world.agent.commitTimeoutSeconds,
	}
}

function runMark({ name, namespace, uid, generation }: ConfigView, { attempt, mode }: NewRun): RunMark {
	const report = { namespace, configMap: runName({ name, uid, generation }, attempt) }
	return { nodeName: name, uid, generation, attempt, mode, report }
}

export type RunWorld = { interfaces: RunConfig['interfaces']; node: NodeView | undefined; agent: AgentSettings }

/** The Job that mounts the ConfigMap. It is pinned to its node, tried once, and never outlives its deadline. */
export function runJob(config: ConfigView, run: NewRun, owner: { name: string; uid: string }, agent: AgentSettings): Job {
	const labels = runLabels(config, run)
	return {
		metadata: {
			name: owner.name,
			namespace: config.namespace,
			labels,
			ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: owner.name, uid: owner.uid, controller: true }],
		},
		spec: {
			backoffLimit: 0,
			completions: 1,
			parallelism: 1,
			activeDeadlineSeconds: agent.activeDeadlineSeconds,
			template: { metadata: podMarks(labels, agent.pod), spec: podSpec(runMark(config, run), agent) },
		},
	}
}

/** The labels of the run win, because the run is found by them. */
function podMarks(labels: Record<string, string>, { labels: more, annotations }: AgentPod) {
	return { labels: { ...more, ...labels }, ...(Object.keys(annotations).length > 0 && { annotations }) }
}

type PodSpec = NonNullable<NonNullable<Job['spec']>['template']['spec']>

/** Sets `nodeName`, which bypasses the scheduler: taints, a cordon or a CNI that is not ready must not keep a node without its NICs. */
function podSpec(mark: RunMark, agent: AgentSettings): PodSpec {
	return {
		nodeName: mark.nodeName,
		restartPolicy: 'Never',
		hostNetwork: true,
		dnsPolicy: 'Default',
		enableServiceLinks: false,
		serviceAccountName: agent.serviceAccount,
		automountServiceAccountToken: false,
		tolerations: [...agent.pod.tolerations],
		...(agent.pod.priorityClassName && { priorityClassName: agent.pod.priorityClassName }),
		...(agent.imagePullSecrets.length > 0 && { imagePullSecrets: agent.imagePullSecrets.map(name => ({ name })) }),
		containers: [container(mark, agent)],
		volumes: [
			...hostPaths(agent.privileged).volumes,
			{ name: 'config', configMap: { name: mark.report.configMap, items: [{ key: CONFIG_KEY, path: CONFIG_KEY }] } },
			{ name: 'token', projected: { sources: tokenSources } },
		],
	}
}

/** 600 s is the shortest lifetime that Kubernetes accepts. The kubelet renews the token; a token stolen from the node is valid for no longer. */
const tokenSources = [
	{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
	{ configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
]

/** The environment identifies the run as well as the config does, so that the agent rejects a ConfigMap that was replaced meanwhile. */
function container(mark: RunMark, agent: AgentSettings): NonNullable<PodSpec>['containers'][number] {
	return {
		name: AGENT_CONTAINER,
		image: agent.image,
		imagePullPolicy: agent.imagePullPolicy,
		env: [{ name: 'RUN', value: JSON.stringify(mark) }],
		securityContext: securityContext(agent.privileged),
		terminationMessagePath: '/dev/termination-log',
		terminationMessagePolicy: 'File',
		resources: agent.pod.resources,
		volumeMounts: [
			...hostPaths(agent.privileged).mounts,
			{ name: 'config', mountPath: '/etc/multinic', readOnly: true },
			{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
		],
	}
}

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
import { requestAnnotations } from '../model/requests.ts'
import type { NewRun } from '../model/decision.ts'
import { hostPaths, securityContext } from './host-access.ts'
import { runName } from '../../contract/run-name.ts'
import type { ConfigView, NodeView } from '../model/snapshot.ts'
import { podNetworksOf } from '../model/runs.ts'

/** The manifests of a run. Pure. */

/** Settings of the agent, from the environment of the controller; the same for every run. */
export type AgentSettings = {
	image: string
	imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
	imagePullSecrets: readonly string[]
	serviceAccount: string
	activeDeadlineSeconds: number
	waitForDeviceSeconds: number
	commitTimeoutSeconds: number
	/** If false, the container has only the capabilities and the host paths that a run needs. */
	privileged: boolean
	/** The first of the ten route tables and of the ten rule priorities on a node. */
	routeTableBase: number
	rulePriorityBase: number
	/** What node configs may request outside the route tables of their own interfaces. */
	limits: ChartLimits
	pod: AgentPod
}

/** Labels of all objects of a run. If a name already exists, they show whether the object belongs to the same run. */
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

/** The ConfigMap that contains the input of the run and receives its report. */
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
				...requestAnnotations(run.requests),
			},
			ownerReferences: [
				{ apiVersion: apiVersionOf(NODE_CONFIG), kind: NODE_CONFIG.kind, name: config.name, uid: config.uid, controller: true },
			],
		},
		data: { [CONFIG_KEY]: `${JSON.stringify(input, null, 1)}\n` },
	}
}

/** The input of the agent. A clean-up has no desired interfaces, regardless of the spec. */
export function runInput(config: ConfigView, run: NewRun, context: RunContext): RunConfig {
	return {
		version: 1,
		...runMark(config, run),
		interfaces: run.mode === 'Cleanup' ? [] : settle(context.interfaces),
		nodeAddresses: [...(context.node?.internalIps ?? [])],
		routeTableBase: context.agent.routeTableBase,
		rulePriorityBase: context.agent.rulePriorityBase,
		allowMainTableRoutes: [...context.agent.limits.allowMainTableRoutes],
		allowDefaultRoute: context.agent.limits.allowDefaultRoute,
		protectedNetworks: [...context.agent.limits.protectedNetworks],
		podNetworks: [...context.agent.limits.podNetworks, ...(context.node?.podNetworks ?? [])],
		waitForDeviceSeconds: context.agent.waitForDeviceSeconds,
		commitTimeoutSeconds: context.agent.commitTimeoutSeconds,
	}
}

function runMark({ name, namespace, uid, generation }: ConfigView, { attempt, mode }: NewRun): RunMark {
	const report = { namespace, configMap: runName({ name, uid, generation }, attempt) }
	return { nodeName: name, uid, generation, attempt, mode, report }
}

export type RunContext = { interfaces: RunConfig['interfaces']; node: NodeView | undefined; agent: AgentSettings }

/** The Job that mounts the ConfigMap. It is pinned to its node, has no retries, and never outlives its deadline. */
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
			template: { metadata: podMetadata(labels, agent.pod), spec: podSpec(runMark(config, run), agent) },
		},
	}
}

/** The labels of the run take precedence, because the controller finds the run by them. */
function podMetadata(labels: Record<string, string>, { labels: more, annotations }: AgentPod) {
	return { labels: { ...more, ...labels }, ...(Object.keys(annotations).length > 0 && { annotations }) }
}

type PodSpec = NonNullable<NonNullable<Job['spec']>['template']['spec']>

/**
 * Sets `nodeName`, which bypasses the scheduler: taints, a cordon or a CNI plugin that is not ready must not prevent the node from getting
 * its NICs.
 */
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

/**
 * 600 s is the shortest lifetime that Kubernetes accepts. The kubelet renews the token; a token stolen from the node expires within this
 * time.
 */
const tokenSources = [
	{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } },
	{ configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
]

/** The environment and the config both identify the run, so that the agent rejects a ConfigMap that was replaced in the meantime. */
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

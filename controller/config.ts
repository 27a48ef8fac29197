import * as z from 'zod'
import { AllowedPrefixes, PodNetworks, ProtectedNetworks } from '../contract/chart-limits.ts'
import { DEFAULT_BASES, RouteTableBase, RulePriorityBase } from '../contract/bases.ts'
import { CONTROLLER_LEASE, RUN_APP } from '../contract/names.ts'
import { Bool, ListenAddress, ObjectName, readEnv, Whole } from '../runtime/env.ts'
import { DEFAULT_POD, PodAnnotations, PodLabels, PriorityClass, Resources, Tolerations } from './act/agent-pod.ts'
import type { AgentSettings } from './act/job.ts'
import type { RunSettings } from './model/snapshot.ts'

const number = (least: number, most: number) => Whole.pipe(z.int().min(least).max(most))

/** Strings separated by commas; an empty list if omitted. */
function listOf<T extends z.ZodType<string[], string[]>>(list: T) {
	return z
		.string()
		.transform(text => text.split(',').flatMap(one => one.trim() || []))
		.pipe(list)
		.prefault('')
}

/** The environment of `node controller/main.ts`, in addition to LOG_LEVEL and LOG_FORMAT. */
const Env = z.object({
	NAMESPACE: ObjectName.max(63).describe('Namespace of node configs, Jobs and ConfigMaps of runs'),
	AGENT_IMAGE: z.string().regex(/^\S+$/, 'must be an image reference').describe('Image of the agent'),
	AGENT_IMAGE_PULL_POLICY: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
	AGENT_IMAGE_PULL_SECRETS: listOf(z.array(ObjectName)).describe('Names of Secrets, separated by commas'),
	AGENT_PRIVILEGED: Bool.default(true).describe('false: hardened mode, see docs/agent/how-it-works.md'),
	AGENT_SERVICE_ACCOUNT: ObjectName.default(RUN_APP),
	AGENT_ROUTE_TABLE_BASE: Whole.pipe(RouteTableBase)
		.prefault(String(DEFAULT_BASES.table))
		.describe('First of the ten route tables on a node'),
	AGENT_RULE_PRIORITY_BASE: Whole.pipe(RulePriorityBase)
		.prefault(String(DEFAULT_BASES.priority))
		.describe('First of the ten rule priorities on a node'),
	AGENT_RESOURCES: Resources.prefault(JSON.stringify(DEFAULT_POD.resources)).describe(
		'Resources of the agent: {"requests": …, "limits": …}',
	),
	AGENT_POD_LABELS: PodLabels.prefault('{}').describe('Additional labels of the agent pods'),
	AGENT_POD_ANNOTATIONS: PodAnnotations.prefault('{}').describe("Annotations of the agent's pods"),
	AGENT_TOLERATIONS: Tolerations.prefault(JSON.stringify(DEFAULT_POD.tolerations)).describe('Tolerations of the agent pods'),
	AGENT_PRIORITY_CLASS: PriorityClass.or(z.literal(''))
		.default(DEFAULT_POD.priorityClassName)
		.describe("PriorityClass of the agent's pods"),
	ALLOW_MAIN_TABLE_ROUTES: listOf(AllowedPrefixes).describe(
		"Prefixes of routes that node configs may have outside the interface's own table, separated by commas",
	),
	ALLOW_DEFAULT_ROUTE: Bool.default(false).describe('Whether node configs may set defaultRoute'),
	PROTECTED_NETWORKS: listOf(ProtectedNetworks).describe(
		"Networks that routes of node configs may only reach from the interface's own table",
	),
	POD_NETWORKS: listOf(PodNetworks).describe('Pod networks, in addition to spec.podCIDRs of the Nodes'),
	KEEP_RUN_SECONDS: number(0, 604_800).prefault('3600').describe('How long objects of a run are kept after its result is in the status'),
	ACTIVE_DEADLINE_SECONDS: number(30, 3_600).prefault('300').describe('activeDeadlineSeconds of the Job of a run'),
	WAIT_FOR_DEVICE_SECONDS: number(0, 60).prefault('5').describe('How long a run waits for a missing NIC'),
	COMMIT_TIMEOUT_SECONDS: number(10, 600).prefault('120').describe('When the host rolls back unless the run commits'),
	MAX_CONCURRENT_RUNS: number(1, 10_000).prefault('100').describe('Maximum number of concurrent runs in the cluster'),
	CHECK_INSTANCE_ID: Bool.default(true).describe('Treat a node whose systemUUID is not spec.instanceId as another VM'),
	WORKERS: number(1, 64).prefault('8').describe('Number of concurrent workers'),
	METRICS_ADDR: ListenAddress.prefault(':8080').describe('Listen address of /healthz, /readyz and /metrics'),
	LEADER_ELECT: Bool.default(true).describe('Use leader election; required for more than one controller'),
	LEASE_NAME: ObjectName.default(CONTROLLER_LEASE),
	POD_NAME: z.string().default('').describe('Identity in the Lease; default the host name'),
})

export type Config = {
	namespace: string
	agent: AgentSettings
	runs: RunSettings
	workers: number
	listen: { host: string; port: number }
	leaderElect: boolean
	lease: { name: string; holder: string }
}

/** @throws Failure CONFIG_INVALID with all errors */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const read = readEnv(Env, env)
	return {
		namespace: read.NAMESPACE,
		agent: {
			image: read.AGENT_IMAGE,
			imagePullPolicy: read.AGENT_IMAGE_PULL_POLICY,
			imagePullSecrets: read.AGENT_IMAGE_PULL_SECRETS,
			serviceAccount: read.AGENT_SERVICE_ACCOUNT,
			activeDeadlineSeconds: read.ACTIVE_DEADLINE_SECONDS,
			waitForDeviceSeconds: read.WAIT_FOR_DEVICE_SECONDS,
			commitTimeoutSeconds: read.COMMIT_TIMEOUT_SECONDS,
			privileged: read.AGENT_PRIVILEGED,
			routeTableBase: read.AGENT_ROUTE_TABLE_BASE,
			rulePriorityBase: read.AGENT_RULE_PRIORITY_BASE,
			limits: {
				allowMainTableRoutes: read.ALLOW_MAIN_TABLE_ROUTES,
				allowDefaultRoute: read.ALLOW_DEFAULT_ROUTE,
				protectedNetworks: read.PROTECTED_NETWORKS,
				podNetworks: read.POD_NETWORKS,
			},
			pod: {
				resources: read.AGENT_RESOURCES,
				labels: read.AGENT_POD_LABELS,
				annotations: read.AGENT_POD_ANNOTATIONS,
				tolerations: read.AGENT_TOLERATIONS,
				priorityClassName: read.AGENT_PRIORITY_CLASS,
			},
		},
		runs: {
			keepRunMs: read.KEEP_RUN_SECONDS * 1_000,
			maxConcurrentRuns: read.MAX_CONCURRENT_RUNS,
			deadlineMs: read.ACTIVE_DEADLINE_SECONDS * 1_000,
			checkInstanceId: read.CHECK_INSTANCE_ID,
		},
		workers: read.WORKERS,
		listen: read.METRICS_ADDR,
		leaderElect: read.LEADER_ELECT,
		lease: { name: read.LEASE_NAME, holder: read.POD_NAME },
	}
}

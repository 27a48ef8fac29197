import type { AgentReport, InterfaceReport } from '../../contract/agent-run.ts'
import { FINALIZER } from '../../contract/names.ts'
import { rolloutOf } from '../../contract/rollout.ts'
import type { NodeConfigSpec, NodeConfigStatus } from '../../contract/node-config.ts'
import { DEFAULT_POD } from '../../controller/act/agent-pod.ts'
import type { AgentSettings } from '../../controller/act/job.ts'
import type { Run, Snapshot } from '../../controller/model/snapshot.ts'
import { startedStatus } from '../../controller/status/build-status.ts'

/** A small fixture for test tables: one node config with one interface, on a node that is Ready. */

export const now = Date.parse('2026-01-01T12:00:00Z')
export const mac = 'fa:16:3e:37:c3:f1'
export const nic = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }
export const spec: NodeConfigSpec = { nodeName: 'worker-1', interfaces: [nic] }

/** Agent settings with the defaults of the chart. */
export const agent: AgentSettings = {
	...{ image: 'localhost/multinic-agent:0.1.0', imagePullPolicy: 'IfNotPresent', imagePullSecrets: [], serviceAccount: 'multinic-run' },
	...{
		activeDeadlineSeconds: 300,
		waitForDeviceSeconds: 5,
		commitTimeoutSeconds: 120,
		privileged: true,
		routeTableBase: 100,
		rulePriorityBase: 10_000,
		limits: { allowMainTableRoutes: [], allowDefaultRoute: false, protectedNetworks: [], podNetworks: [] },
		pod: DEFAULT_POD,
	},
}

/** The rollout state of a node config that is next in a rollout that nothing blocks, without periodic verification. */
export const alone: Snapshot['rollout'] = {
	...{
		settings: rolloutOf({ verifyIntervalSeconds: '0' }, undefined),
		slots: 10,
		runSlots: 10,
		queuePosition: 0,
		activeVerifications: 0,
		lastRunAt: now - 10_000,
		skipsQueue: false,
	},
	...{ controlPlaneBusy: false, stoppedBy: undefined, hold: undefined },
}

export const someNode: NonNullable<Snapshot['node']> = {
	...{
		name: 'worker-1',
		uid: 'node-uid',
		ready: 'True',
		internalIps: ['192.168.0.11'],
		podNetworks: ['10.244.1.0/24'],
		controlPlane: false,
	},
	...{ systemUUID: undefined, bootID: 'boot-1' },
}

export function world(over: Omit<Partial<Snapshot>, 'config'> & { config?: Partial<Snapshot['config']> } = {}): Snapshot {
	const { config = {}, ...rest } = over
	const status = config.status ?? {}
	return {
		now,
		uptime: now,
		settings: { keepRunMs: 3_600_000, maxConcurrentRuns: 10, deadlineMs: 300_000, checkInstanceId: true },
		spec: { value: spec },
		specHash: 'hash-1',
		node: someNode,
		conflict: undefined,
		runs: [],
		rollout: alone,
		...rest,
		config: {
			name: 'worker-1',
			namespace: 'multinic-system',
			uid: 'uid-1',
			resourceVersion: '7',
			generation: 1,
			created: now - 60_000,
			deleting: false,
			finalizers: [FINALIZER],
			requests: {},
			read: { spec: { value: spec }, specHash: 'hash-1', checksum: 1 },
			rawStatus: status as Record<string, unknown>,
			status,
			...config,
		},
	}
}

export function run(over: Partial<Run> = {}): Run {
	const { generation = 1, attempt = 1 } = over
	return {
		name: `multinic-agent-worker-1-g${generation}${attempt > 1 ? `-${attempt}` : ''}`,
		uid: 'uid-1',
		generation,
		attempt,
		mode: 'Apply',
		cause: 'SpecChanged',
		requests: {},
		failures: (over.attempt ?? 1) - 1,
		created: now - 10_000,
		firstSeenAt: now - 10_000,
		bootID: 'boot-1',
		podNetworks: undefined,
		report: undefined,
		reportFault: undefined,
		hasConfigMap: true,
		job: underWay,
		pod: undefined,
		...over,
	}
}

export function nicReport(over: Partial<InterfaceReport> = {}): InterfaceReport {
	return {
		id: 0,
		name: 'multinic0',
		macAddress: mac,
		state: 'Configured',
		reason: 'Configured',
		message: 'as wanted',
		changes: 3,
		warnings: [],
		...over,
	}
}

export function report(over: Partial<AgentReport> = {}): AgentReport {
	return {
		version: 1,
		nodeName: 'worker-1',
		uid: 'uid-1',
		generation: 1,
		attempt: 1,
		mode: 'Apply',
		outcome: 'Succeeded',
		reason: 'AllInterfacesConfigured',
		message: 'done',
		backend: 'netplan-networkd',
		persistent: { status: 'True', message: 'proven by the generator' },
		started: '2026-01-01T11:59:50Z',
		finished: '2026-01-01T11:59:52Z',
		milliseconds: { apply: 61 },
		changes: 3,
		interfaces: [nicReport()],
		probes: { before: [], after: [] },
		...over,
	}
}

export const underWay = { jobUid: 'job-uid', finished: undefined, failure: undefined, hasPods: true, suspended: false }
export const ended = { ...underWay, finished: now - 5_000 }

/** Returns the status that the controller writes when it starts this run. */
export function startedFor(one: Run, snapshot: Snapshot = world()): NodeConfigStatus {
	return startedStatus(snapshot, one)
}

/** Returns the snapshot with this status as its stored status. */
export function withStatus(snapshot: Snapshot, status: NodeConfigStatus): Snapshot {
	return { ...snapshot, config: { ...snapshot.config, status, rawStatus: status as Record<string, unknown> } }
}

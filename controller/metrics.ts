import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'
import type { NodeConfigStatus } from '../contract/node-config.ts'
import { condition } from '../contract/status.ts'
import type { Caches } from './cache/caches.ts'
import type { Decision } from './model/decision.ts'
import type { Report } from './model/report.ts'
import { changesNode } from './rollout/participation.ts'
import { currentRun } from './model/runs.ts'
import type { Run, Snapshot } from './model/snapshot.ts'

/** Metrics of the controller; docs/metrics.md explains each. All times are in seconds. */

const runBuckets = [0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 60, 120, 300]

/**
 * Phases that are exported by name. Any other phase in a report is exported as `other`, because a node must not be able to create an
 * unlimited number of time series.
 */
const phaseNames = ['observe', 'generate', 'probe', 'arm', 'apply', 'verify', 'prove', 'commit', 'undo']

/** Label value if a status has no state or reason: Prometheus treats an empty label as a missing one. */
const UNKNOWN = 'Unknown'

/** Counts decisions, and observes the durations of runs whose results are reported. */
export function countDecisions(registry: Registry): (decision: Decision, snapshot: Snapshot) => void {
	const registers = [registry]
	const started = new Counter({
		registers,
		name: 'multinic_runs_started_total',
		help: 'Runs started, by cause',
		labelNames: ['cause', 'mode'],
	})
	const results = new Counter({
		...{ registers, name: 'multinic_run_results_total', labelNames: ['state', 'reason'] },
		help: 'Results of runs by state and reason',
	})
	const changes = new Counter({ registers, name: 'multinic_run_changes_total', help: 'Changes that runs made on nodes' })
	// Prometheus detects no increase in a counter that first appears with 1, so the series that alerts use must exist from the start
	started.inc({ cause: 'Drifted', mode: 'Apply' }, 0)
	for (const reason of ['Drifted', 'RunLost']) results.inc({ state: 'Failed', reason }, 0)
	const observeRun = createRunObserver(registry)
	return (decision, snapshot) => {
		if (decision.act === 'start') started.inc({ cause: decision.run.cause, mode: decision.run.mode })
		const result = resultOf(decision, snapshot)
		if (!result) return
		const { state, reason, run } = result
		results.inc({ state, reason })
		if (run && changesNode(run.mode)) changes.inc(run.report?.changes ?? 0)
		if (run) observeRun(run, snapshot.now)
	}
}

/**
 * Returns the result of a run if the decision reports one. After a successful clean-up, the node config is released, so no status reports
 * the result.
 */
function resultOf(decision: Decision, snapshot: Snapshot): { state: string; reason: string; run: Run | undefined } | undefined {
	if (decision.act === 'release' && decision.why === 'Cleaned') return { state: 'Released', reason: 'Released', run: currentRun(snapshot) }
	if (decision.act !== 'setStatus' || !decision.result) return undefined
	const { status, eventKey = `${status.lastJobName}.result` } = decision
	// a verification is named only in the event key, because the status continues to name the run that configured the node
	const run = snapshot.runs.find(({ name, uid }) => `${name}.result` === eventKey && uid === snapshot.config.uid)
	return { state: status.state ?? UNKNOWN, reason: reasonOf(status), run }
}

/** Observes how long a run took: to start its agent, to run the agent and each of its phases, and to report the result. */
function createRunObserver(registry: Registry): (run: Run, now: number) => void {
	const common = { registers: [registry], buckets: runBuckets }
	const begin = new Histogram({
		...common,
		name: 'multinic_run_start_seconds',
		help: 'Time from the creation of a run until its agent started',
	})
	const whole = new Histogram({ ...common, name: 'multinic_run_seconds', help: 'Run time of an agent', labelNames: ['mode', 'outcome'] })
	const phases = new Histogram({
		...common,
		name: 'multinic_run_phase_seconds',
		help: 'Time of the phases of an agent',
		labelNames: ['phase'],
	})
	const settle = new Histogram({
		...common,
		name: 'multinic_run_settle_seconds',
		help: 'Time from the end of an agent until its result is in the status',
	})
	return ({ report, created, mode }, now) => {
		if (!report) return
		const [from, to] = [Date.parse(report.started), Date.parse(report.finished)]
		// the clocks of the node and the API server may differ, so a difference may be negative
		if (from >= created) begin.observe((from - created) / 1_000)
		if (to >= from) whole.observe({ mode, outcome: report.outcome }, (to - from) / 1_000)
		if (now >= to) settle.observe((now - to) / 1_000)
		for (const [phase, seconds] of phasesOf(report)) phases.observe({ phase }, seconds)
	}
}

/** Returns each phase with its duration in seconds, without the total, which another metric covers. */
function phasesOf({ milliseconds }: Report): [phase: string, seconds: number][] {
	const timed = Object.entries(milliseconds).filter(([phase, ms]) => phase !== 'total' && ms >= 0)
	return timed.map(([phase, ms]) => [phaseNames.includes(phase) ? phase : 'other', ms / 1_000])
}

function reasonOf(status: NodeConfigStatus): string {
	return condition(status, 'Ready')?.reason ?? UNKNOWN
}

/** Exports the state of the fleet and of the caches, read at each scrape. */
export function observeFleet(registry: Registry, caches: Pick<Caches, 'fleet' | 'census'>): void {
	const registers = [registry]
	const { fleet, census } = caches
	const gauge = (name: string, help: string, read: () => number) =>
		new Gauge({
			...{ registers, name, help },
			collect() {
				this.set(read())
			},
		})
	gauge('multinic_rollout_changing', 'Nodes that are being changed', () => fleet.counts().changing)
	gauge('multinic_rollout_waiting', 'Nodes in the queue', () => fleet.counts().queued)
	gauge('multinic_rollout_stopping', 'Nodes that stop the rollout', () => fleet.counts().stopping)
	gauge('multinic_rollout_limit', 'Nodes that may be changed concurrently', () => fleet.counts().limit)
	gauge('multinic_rollout_paused', '1 if the rollout is paused or its settings are invalid', () => (fleet.counts().paused ? 1 : 0))
	tally(registry, { name: 'multinic_node_configs', help: 'Node configs by state and reason', labels: ['state', 'reason'] }, () =>
		[...census.configs()].map(({ status }) => [status.state ?? UNKNOWN, reasonOf(status)]),
	)
	tally(registry, { name: 'multinic_interfaces', help: 'Desired interfaces by state', labels: ['state'] }, () =>
		[...census.configs()].flatMap(({ status }) => (status.interfaceStatuses ?? []).map(nic => [nic.status])),
	)
	observeCaches(registry, census)
}

/** A gauge of how often each combination of labels currently occurs. */
function tally(registry: Registry, { name, help, labels }: { name: string; help: string; labels: string[] }, read: () => string[][]): void {
	new Gauge({
		...{ registers: [registry], name, help, labelNames: labels },
		collect() {
			this.reset()
			for (const values of read()) this.inc(Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ''])))
		},
	})
}

function observeCaches(registry: Registry, census: Caches['census']): void {
	const metrics = {
		multinic_cache_objects: [Gauge, 'Objects in the cache', 'objects'],
		multinic_cache_events_total: [Counter, 'Watch events', 'events'],
		multinic_cache_lists_total: [Counter, 'Number of relists', 'lists'],
		multinic_cache_failures_total: [Counter, 'Failed lists and watches', 'failures'],
	} as const
	for (const [name, [Metric, help, of]] of Object.entries(metrics))
		new Metric({
			...{ registers: [registry], labelNames: ['kind'], name, help },
			collect() {
				this.reset()
				for (const cache of census.caches()) this.inc({ kind: cache.kind }, cache[of])
			},
		})
}

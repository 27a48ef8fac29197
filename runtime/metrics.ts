import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { Call } from './kube/transport.ts'
import type { LoopWatch, Outcome } from './loop.ts'
import type { Queue, QueueWatch } from './queue.ts'

export type Metrics = {
	/** Rooms register their own metrics here. */
	registry: Registry
	/** To be given to `createQueue` and `runLoop`. */
	queue: QueueWatch
	loop: LoopWatch
	/** To be given to `KubeClient` as `onCall`. */
	kubeCall: (call: Call) => void
	/** Lets the gauges of running work be read from the queue whenever somebody asks. */
	observe(queue: Queue, now?: () => number): void
	/** 1 while this process leads. */
	leading(name: string, leads: boolean): void
}

/** Powers of ten from 10 ns to 1000 s, as client-go has them for its queues. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8))
const callBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]
const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/**
 * The metrics every room has, under the names controller-runtime and client-go use, so that dashboards for those fit.
 *
 * @param controller value of the label of that name
 * @param workers how many keys may be in work at once
 */
export function createMetrics(controller: string, workers = 4): Metrics {
	const registry = new Registry()
	collectDefaultMetrics({ register: registry })
	const leads = new Gauge({
		name: 'leader_election_master_status',
		help: '1 while this process leads',
		labelNames: ['name'],
		registers: [registry],
	})
	return {
		registry,
		queue: queueMetrics(registry, controller),
		loop: loopMetrics(registry, controller, workers),
		kubeCall: callMetrics(registry),
		observe: (queue, now) => workMetrics(registry, controller, queue, now ?? (() => performance.now())),
		leading: (name, is) => leads.set({ name }, is ? 1 : 0),
	}
}

function queueMetrics(registry: Registry, controller: string): QueueWatch {
	const common = { labelNames: ['name', 'controller'] as const, registers: [registry] }
	const labels = { name: controller, controller }
	const depth = new Gauge({
		name: 'workqueue_depth',
		help: 'Keys that are due, by priority',
		labelNames: ['name', 'controller', 'priority'],
		registers: [registry],
	})
	const adds = new Counter({ ...common, name: 'workqueue_adds_total', help: 'Keys that became due' })
	const waits = new Histogram({
		...common,
		name: 'workqueue_queue_duration_seconds',
		help: 'How long due keys waited',
		buckets: queueBuckets,
	})
	const works = new Histogram({
		...common,
		name: 'workqueue_work_duration_seconds',
		help: 'How long keys were in work',
		buckets: queueBuckets,
	})
	const retries = new Counter({ ...common, name: 'workqueue_retries_total', help: 'Keys that were backed off' })
	return {
		depth: (priority, keys) => depth.set({ ...labels, priority: String(priority) }, keys),
		added: () => adds.inc(labels),
		taken: seconds => waits.observe(labels, seconds),
		done: seconds => works.observe(labels, seconds),
		retried: () => retries.inc(labels),
	}
}

function loopMetrics(registry: Registry, controller: string, workers: number): LoopWatch {
	const common = { labelNames: ['controller'] as const, registers: [registry] }
	const prefix = 'controller_runtime'
	const totals = new Counter({
		name: `${prefix}_reconcile_total`,
		help: 'Reconciles by result',
		labelNames: ['controller', 'result'],
		registers: [registry],
	})
	const errors = new Counter({ ...common, name: `${prefix}_reconcile_errors_total`, help: 'Reconciles that failed' })
	const terminal = new Counter({
		...common,
		name: `${prefix}_terminal_reconcile_errors_total`,
		help: 'Reconciles that failed and are not retried',
	})
	const times = new Histogram({
		...common,
		name: `${prefix}_reconcile_time_seconds`,
		help: 'How long a reconcile took',
		buckets: reconcileBuckets,
	})
	const active = new Gauge({ ...common, name: `${prefix}_active_workers`, help: 'Reconciles that run' })
	new Gauge({ ...common, name: `${prefix}_max_concurrent_reconciles`, help: 'Reconciles that may run at once' }).set(
		{ controller },
		workers,
	)
	const count: Record<Outcome, () => void> = {
		success: () => totals.inc({ controller, result: 'success' }),
		requeue_after: () => totals.inc({ controller, result: 'requeue_after' }),
		error: () => failed(),
		terminal_error: () => {
			failed()
			terminal.inc({ controller })
		},
	}
	const failed = () => {
		totals.inc({ controller, result: 'error' })
		errors.inc({ controller })
	}
	return {
		started: () => active.inc({ controller }),
		ended: (outcome, seconds) => {
			active.dec({ controller })
			times.observe({ controller }, seconds)
			count[outcome]()
		},
	}
}

function callMetrics(registry: Registry): (call: Call) => void {
	const total = new Counter({
		name: 'rest_client_requests_total',
		help: 'Requests to the API server by answer',
		labelNames: ['code', 'method', 'host'],
		registers: [registry],
	})
	const times = new Histogram({
		name: 'rest_client_request_duration_seconds',
		help: 'Time until the API server began to answer',
		labelNames: ['verb', 'host'],
		buckets: callBuckets,
		registers: [registry],
	})
	return ({ verb, method, host, code, seconds }) => {
		total.inc({ code, method, host })
		times.observe({ verb: verb.toUpperCase(), host }, seconds)
	}
}

function workMetrics(registry: Registry, controller: string, queue: Queue, now: () => number): void {
	const labels = { name: controller, controller }
	const ages = () => [...queue.inWork.values()].map(({ since }) => (now() - since) / 1_000)
	const common = { labelNames: ['name', 'controller'] as const, registers: [registry] }
	new Gauge({
		...common,
		name: 'workqueue_unfinished_work_seconds',
		help: 'How long the keys now in work are, added up',
		collect() {
			this.set(
				labels,
				ages().reduce((sum, age) => sum + age, 0),
			)
		},
	})
	new Gauge({
		...common,
		name: 'workqueue_longest_running_processor_seconds',
		help: 'How long the oldest key now in work is',
		collect() {
			this.set(labels, Math.max(0, ...ages()))
		},
	})
}

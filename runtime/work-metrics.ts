import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client'
import type { LoopMetrics, Outcome } from './loop.ts'
import type { Queue, QueueMetrics } from './queue.ts'

/** Powers of ten from 10 ns to 1000 s, as in client-go's work queue metrics. */
const queueBuckets = Array.from({ length: 12 }, (_, power) => 10 ** (power - 8))
const reconcileBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Registers the metrics of the queue's content and throughput. */
export function queueMetrics(registry: Registry, controller: string): QueueMetrics {
	const common = { labelNames: ['name', 'controller'] as const, registers: [registry] }
	const labels = { name: controller, controller }
	const depth = new Gauge({
		name: 'workqueue_depth',
		help: 'Keys in the queue, by priority',
		labelNames: ['name', 'controller', 'priority'],
		registers: [registry],
	})
	const adds = new Counter({ ...common, name: 'workqueue_adds_total', help: 'Keys added to the queue' })
	const waits = new Histogram({
		...common,
		name: 'workqueue_queue_duration_seconds',
		help: 'Time that keys waited in the queue',
		buckets: queueBuckets,
	})
	const works = new Histogram({
		...common,
		name: 'workqueue_work_duration_seconds',
		help: 'Time that keys were processed',
		buckets: queueBuckets,
	})
	const retries = new Counter({ ...common, name: 'workqueue_retries_total', help: 'Keys added with back-off' })
	return {
		depth: (priority, keys) => depth.set({ ...labels, priority: String(priority) }, keys),
		added: () => adds.inc(labels),
		got: seconds => waits.observe(labels, seconds),
		done: seconds => works.observe(labels, seconds),
		retried: () => retries.inc(labels),
	}
}

/** Registers the metrics of the loop. */
export function loopMetrics(registry: Registry, controller: string, workers: number): LoopMetrics {
	const common = { labelNames: ['controller'] as const, registers: [registry] }
	const prefix = 'controller_runtime'
	const count = resultMetrics(registry, controller)
	const panics = new Counter({ ...common, name: `${prefix}_reconcile_panics_total`, help: 'Reconciles that panicked' })
	const timeouts = new Counter({ ...common, name: `${prefix}_reconcile_timeouts_total`, help: 'Reconciles that timed out' })
	const times = new Histogram({
		...common,
		name: `${prefix}_reconcile_time_seconds`,
		help: 'Duration of reconciles',
		buckets: reconcileBuckets,
	})
	const active = new Gauge({ ...common, name: `${prefix}_active_workers`, help: 'Active workers' })
	new Gauge({ ...common, name: `${prefix}_max_concurrent_reconciles`, help: 'Maximum number of concurrent reconciles' }).set(
		{ controller },
		workers,
	)
	return {
		started: () => active.inc({ controller }),
		ended: (outcome, seconds) => {
			active.dec({ controller })
			times.observe({ controller }, seconds)
			count[outcome]()
		},
		panicked: () => panics.inc({ controller }),
		timedOut: () => timeouts.inc({ controller }),
	}
}

/** Registers the counters of reconciles by result. */
function resultMetrics(registry: Registry, controller: string): Record<Outcome, () => void> {
	const common = { labelNames: ['controller'] as const, registers: [registry] }
	const totals = new Counter({
		name: 'controller_runtime_reconcile_total',
		help: 'Reconciles, by result',
		labelNames: ['controller', 'result'],
		registers: [registry],
	})
	const errors = new Counter({ ...common, name: 'controller_runtime_reconcile_errors_total', help: 'Reconciles that failed' })
	const terminal = new Counter({
		...common,
		name: 'controller_runtime_terminal_reconcile_errors_total',
		help: 'Reconciles that failed and are not retried',
	})
	const failed = () => {
		totals.inc({ controller, result: 'error' })
		errors.inc({ controller })
	}
	return {
		success: () => totals.inc({ controller, result: 'success' }),
		requeue_after: () => totals.inc({ controller, result: 'requeue_after' }),
		error: failed,
		terminal_error: () => {
			failed()
			terminal.inc({ controller })
		},
	}
}

/** Registers the gauges for work in progress. Their values are read from the queue on each scrape. */
export function workMetrics(registry: Registry, controller: string, queue: Queue, now: () => number): void {
	const labels = { name: controller, controller }
	const ages = () => [...queue.processing.values()].map(({ since }) => (now() - since) / 1_000)
	const common = { labelNames: ['name', 'controller'] as const, registers: [registry] }
	new Gauge({
		...common,
		name: 'workqueue_unfinished_work_seconds',
		help: 'Total time that keys have been in progress',
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
		help: 'Time that the oldest key has been in progress',
		collect() {
			this.set(labels, Math.max(0, ...ages()))
		},
	})
}

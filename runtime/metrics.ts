import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from '@prometheus-io/client'
import type { LoopMetrics } from './loop.ts'
import type { Queue, QueueMetrics } from './queue.ts'
import { loopMetrics, queueMetrics, workMetrics } from './work-metrics.ts'

/** One finished request to the API server, as the client reports it. */
export type FinishedCall = {
	verb: string
	method: string
	host: string
	code: string
	/** Time until the response began, in seconds. */
	seconds: number
	/** How long the request waited before it was sent, in seconds. */
	waited: number
	isRetry: boolean
}

export type Metrics = {
	/** Rooms register their own metrics here. */
	registry: Registry
	/** To be passed to `createQueue` and `runLoop`. */
	queue: QueueMetrics
	loop: LoopMetrics
	/** To be passed to `KubeClient` as `onCall`. */
	kubeCall: (call: FinishedCall) => void
	/** Registers the gauges for work in progress. Their values are read from the queue on each scrape. */
	observe(queue: Queue, now?: () => number): void
	/** Sets the leader gauge: 1 while this process leads. */
	leading(name: string, leads: boolean): void
	/** To be called when a renewal of the lease needed more than one request. */
	slowPath(name: string): void
}

const callBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

/**
 * Creates the metrics that every room has, with the names of controller-runtime and client-go, so that their dashboards work.
 *
 * @param controller value of the label `controller`
 * @param workers maximum number of keys processed concurrently
 */
export function createMetrics(controller: string, workers = 4): Metrics {
	const registry = new Registry()
	// event loop lag is sampled with a timer: at the default of 10 ms, sampling would be most of the work of an idle process
	collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 })
	const leads = new Gauge({
		name: 'leader_election_master_status',
		help: '1 if this process is the leader',
		labelNames: ['name'],
		registers: [registry],
	})
	const slow = new Counter({
		name: 'leader_election_slowpath_total',
		help: 'Lease renewals that had to read the lease first, because another client had written it',
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
		slowPath: name => slow.inc({ name }),
	}
}

function callMetrics(registry: Registry): (call: FinishedCall) => void {
	const total = new Counter({
		name: 'rest_client_requests_total',
		help: 'Requests to the API server, by status code',
		labelNames: ['code', 'method', 'host'],
		registers: [registry],
	})
	const times = new Histogram({
		name: 'rest_client_request_duration_seconds',
		help: 'Time until the first byte of the response',
		labelNames: ['verb', 'host'],
		buckets: callBuckets,
		registers: [registry],
	})
	const waits = new Histogram({
		name: 'rest_client_rate_limiter_duration_seconds',
		help: 'Time that requests waited for other requests or a pause requested by the API server',
		labelNames: ['verb', 'host'],
		buckets: callBuckets,
		registers: [registry],
	})
	const retries = new Counter({
		name: 'rest_client_request_retries_total',
		help: 'Retries of requests',
		labelNames: ['code', 'verb', 'host'],
		registers: [registry],
	})
	return ({ verb, method, host, code, seconds, waited, isRetry }) => {
		if (isRetry) retries.inc({ code, verb: verb.toUpperCase(), host })
		waits.observe({ verb: verb.toUpperCase(), host }, waited)
		total.inc({ code, method, host })
		times.observe({ verb: verb.toUpperCase(), host }, seconds)
	}
}

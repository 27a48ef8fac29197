import { countDecisions, observeFleet } from '../../controller/metrics.ts'
import { createFleet } from '../../controller/rollout/fleet.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { createQueue } from '../../runtime/queue.ts'

/** Returns the registry of a controller with an empty fleet, as controller/main.ts and controller/controller.ts assemble it. */
export function controllerRegistry() {
	const metrics = createMetrics('nodeconfig')
	metrics.observe(createQueue({ metrics: metrics.queue }))
	countDecisions(metrics.registry)
	observeFleet(metrics.registry, { fleet: createFleet(nobody), census: { configs: () => [], caches: () => [] } })
	return metrics.registry
}

export type Served = { name: string; type: string; labels: string[] }

/** Returns name, type and labels of every metric that a controller serves. */
export function served(): Served[] {
	const metrics = controllerRegistry().getMetricsAsArray() as unknown as { name: string; type: string; labelNames: string[] }[]
	return metrics.map(({ name, type, labelNames }) => ({ name, type, labels: labelNames }))
}

const nobody = {
	...{ configOf: () => undefined, nodeOf: () => undefined, runsOf: () => [], active: () => 0, wake: () => {} },
	...{ recordedStop: () => undefined, stopsChanged: () => {} },
	...{ maxConcurrentRuns: 1, startedAt: 0 },
}

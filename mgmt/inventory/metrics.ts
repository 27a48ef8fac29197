import { Gauge, Histogram, type Registry } from '@prometheus-io/client'

export type InventoryMetrics = {
	/** Reports one finished operation. `seconds`: with all its statements, and the time that it waited for a connection. */
	operation(operation: string, outcome: 'ok' | 'failed', seconds: number): void
	/** Reports how many connections are open, each time the metrics are read. */
	connections(count: () => number): void
}

/** Registers the metrics of the inventory. */
export function inventoryMetrics(registry: Registry): InventoryMetrics {
	const durations = new Histogram({
		name: 'multinic_database_operation_duration_seconds',
		help: 'Duration of an operation of the inventory on its database',
		labelNames: ['operation', 'outcome'],
		buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
		registers: [registry],
	})
	let count = () => 0
	new Gauge({
		name: 'multinic_active_db_connections',
		help: 'Open connections to the database of the inventory; 0 while it is lost',
		registers: [registry],
		collect() {
			this.set(count())
		},
	})
	return {
		operation: (operation, outcome, seconds) => durations.observe({ operation, outcome }, seconds),
		connections: read => {
			count = read
		},
	}
}

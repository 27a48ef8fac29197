import { Gauge, type Registry } from '@prometheus-io/client'

/** Registers viola's own metrics. */
export function createViolaMetrics(registry: Registry) {
	const up = new Gauge({
		name: 'multinic_viola_cluster_up',
		help: '1 if the API server of the biz cluster answered the last request, 0 if it could not be reached',
		labelNames: ['provider'],
		registers: [registry],
	})
	return {
		setUp: (provider: string, isUp: boolean) => up.set({ provider }, isUp ? 1 : 0),
		/** Must be called when a biz cluster was removed. */
		forget: (provider: string) => up.remove({ provider }),
	}
}

import { randomUUID } from 'node:crypto'
import { isPausedBy, readRollout, ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP } from '../../contract/rollout.ts'
import { type Change, ConfigMap, type KubeClient, startReflector } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import type { Fleet } from '../rollout/fleet.ts'
import { readStops, type StopRecord } from '../rollout/stop-record.ts'
import { type RolloutConfigMapView, rolloutConfigMapView } from './projections.ts'

type Options = { client: KubeClient; namespace: string; log: Log; signal: AbortSignal }

/**
 * Watches the three ConfigMaps of the rollout, each by name: the chart's settings, the pause that a user set, and the controller's record
 * of the nodes that stop the rollout.
 */
export function watchSettings({ client, namespace, log, signal }: Options, fleet: Pick<Fleet, 'setSettings' | 'setPause'>) {
	const watch = (name: string, onChange: (data: RolloutConfigMapView['data'] | undefined) => void) => {
		const take: Change<RolloutConfigMapView> = (_, view) => onChange(view?.data)
		const fieldSelector = `metadata.name=${name}`
		return startReflector({ client, log, signal, namespace, fieldSelector, kind: ConfigMap, project: rolloutConfigMapView, onChange: take })
	}
	const chart = watch(ROLLOUT_CONFIG_MAP, data => {
		const read = readRollout(data)
		if ('fault' in read)
			log.error({ configMap: ROLLOUT_CONFIG_MAP, fault: read.fault }, 'invalid settings, no node is changed until they are fixed')
		else log.info({ configMap: ROLLOUT_CONFIG_MAP, ...read.value }, 'settings of the rollout')
		fleet.setSettings(data)
	})
	const pause = watch(ROLLOUT_PAUSE, data => {
		log.info({ configMap: ROLLOUT_PAUSE, paused: isPausedBy(data) }, 'pause of the rollout')
		fleet.setPause(data)
	})
	let writer: Pick<StopRecord, 'scheduleWrite' | 'checkStored'> | undefined
	let stops = readStops(undefined)
	const stop = watch(ROLLOUT_STOP, data => {
		stops = readStops(data)
		writer?.checkStored()
	})
	const only = ({ store }: typeof chart) => [...store.values()][0]
	const randomSecret = randomUUID()
	return {
		all: [chart, pause, stop],
		/**
		 * A value that no node can read: the uid of the chart's ConfigMap, which no kubelet may read, or a random value of this process if
		 * the ConfigMap does not exist.
		 */
		secret: () => only(chart)?.uid ?? randomSecret,
		recordedStop: (name: string) => stops.get(name),
		stopsChanged: () => writer?.scheduleWrite(),
		stopRecord: {
			/** The data of the record; undefined if it does not exist. */
			stored: () => only(stop)?.data,
			/** The uid of the chart's ConfigMap; empty if it does not exist. */
			owner: () => only(chart)?.uid ?? '',
			/** Sets the writer of the record, which is notified of changes. */
			setWriter: (one: Pick<StopRecord, 'scheduleWrite' | 'checkStored'>) => {
				writer = one
			},
		},
	}
}

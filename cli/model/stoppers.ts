import { stopsIn } from '../../contract/stops.ts'
import { complaintOf, condition, stateOf, stoppingReason } from '../../contract/status.ts'
import type { ConfigView } from './node-config-view.ts'

/** The nodes that prevent changes to all other nodes. Pure. */

/** `message` describes the current state of the node. */
export type Stopper = { name: string; reason: string; message: string }

/** The nodes that stop the rollout, as recorded by the controller: uid of the node config → reason. */
export type StopRecord = ReadonlyMap<string, string>

/** @returns the record in ConfigMap multinic-rollout-stop; undefined if it is missing, or cannot be read */
export function stopRecordIn(data: Readonly<Record<string, string>> | undefined): StopRecord | undefined {
	const stops = stopsIn(data)
	return stops && new Map(stops.map(({ uid, stops: why }) => [uid, why]))
}

/**
 * @param record without it, only the statuses are known, and a node that is being retried is no longer listed as stopping the rollout
 * @returns the nodes that stop the rollout until each of them succeeds, is paused or is deleted
 */
export function stoppersOf(configs: readonly ConfigView[], record: StopRecord | undefined): Stopper[] {
	return configs.flatMap(config => {
		const reason = record ? recordedReason(config, record) : stopReason(config)
		return reason === undefined ? [] : [{ name: config.name, reason, message: messageOf(config) }]
	})
}

/** The controller writes the record shortly after a status or a pause, so a newer status or pause takes precedence over the record. */
function recordedReason(config: ConfigView, record: StopRecord): string | undefined {
	return config.paused || stateOf(config) === 'Configured' ? undefined : record.get(config.uid)
}

function stopReason(config: ConfigView): string | undefined {
	return stateOf(config) === 'Failed' && !config.paused ? stoppingReason(complaintOf(config)) : undefined
}

function messageOf(config: ConfigView): string {
	return stateOf(config) === 'Failed' ? (condition(config.status, 'Ready')?.message ?? '') : 'it is being retried.'
}

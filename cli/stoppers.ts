import { stopsRollout } from '../contract/reasons.ts'
import { stopsIn } from '../contract/stops.ts'
import { type ConfigView, condition, reasonOf, stateOf } from './view.ts'

/** Who keeps all other nodes from being changed. Pure. */

/** `message` is what is known of it now. */
export type Stopper = { name: string; reason: string; message: string }

/** What the controller has written down of it: uid of the node config → why. */
export type StopRecord = ReadonlyMap<string, string>

/** @returns the record in ConfigMap multinic-rollout-stop; undefined where there is none, or it cannot be read */
export function stopRecordIn(data: Readonly<Record<string, string>> | undefined): StopRecord | undefined {
	const stops = stopsIn(data)
	return stops && new Map(stops.map(({ uid, stops: why }) => [uid, why]))
}

/**
 * @param record undefined: only what statuses say is known, and a node that is tried again is no longer seen to stop the others
 * @returns those that stop the rollout until each comes through, is paused or deleted
 */
export function stoppersOf(configs: readonly ConfigView[], record: StopRecord | undefined): Stopper[] {
	return configs.flatMap(config => {
		const reason = record ? recordedReason(config, record) : stopReason(config)
		return reason === undefined ? [] : [{ name: config.name, reason, message: messageOf(config) }]
	})
}

/** The record is written a moment after a status or a pause; what is known here already counts. */
function recordedReason(config: ConfigView, record: StopRecord): string | undefined {
	return config.paused || stateOf(config) === 'Configured' ? undefined : record.get(config.uid)
}

function stopReason(config: ConfigView): string | undefined {
	if (stateOf(config) !== 'Failed' || config.paused) return undefined
	const nics = (config.status.interfaceStatuses ?? []).filter(nic => nic.status === 'Failed')
	return [reasonOf(config), ...nics.map(({ reason }) => reason)].find(stopsRollout)
}

function messageOf(config: ConfigView): string {
	return stateOf(config) === 'Failed' ? (condition(config, 'Ready')?.message ?? '') : 'it is being retried.'
}

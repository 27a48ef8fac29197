import { reasonOf, stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'

/** @returns a state with its reason: `Failed (WaitingForDevice)`. Pure. */
export function stateWords(config: ConfigView): string {
	const reason = reasonOf(config)
	return reason === '' ? stateOf(config) : `${stateOf(config)} (${reason})`
}

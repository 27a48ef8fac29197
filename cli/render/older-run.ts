import { countsIn } from '../../contract/run-name.ts'
import { condition, isCurrent } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { stateWords } from './state.ts'

/** Decides whether the output of a run describes the current state. Pure. */

/** A run, as the labels of its objects describe it; a label that is missing or not a number is ignored. */
export type ShownRun = { name: string; uid: string | undefined; generation: number }

/**
 * @param config undefined if the node config does not exist
 * @returns why the run is not the last one of the current generation; undefined if it is the last one, or a later read-only run
 */
export function notThePresent(run: ShownRun, node: string, config: ConfigView | undefined): string | undefined {
	const { name, uid, generation } = run
	const more = `See its current state with: kubectl multinic get ${node}`
	if (!config) return `run ${name} belongs to a deleted node config; node config ${node} no longer exists.`
	if (uid !== undefined && uid !== config.uid) return `run ${name} belongs to an earlier node config of ${node}, which was deleted. ${more}`
	if (Number.isInteger(generation) && generation !== config.generation)
		return `run ${name} belongs to generation ${generation}, not to the current generation ${config.generation}, ${present(config)} ${more}`
	const { lastJobName } = config.status
	if (lastJobName === undefined || !isBefore(name, lastJobName)) return undefined
	return `run ${name} is not the last run, which is ${lastJobName}. See its log with: kubectl multinic logs ${node} --run ${lastJobName}`
}

function present(config: ConfigView): string {
	if (!isCurrent(config)) return 'which the controller has not observed yet.'
	const message = condition(config.status, 'Ready')?.message
	return `which is ${stateWords(config)}${message ? `: ${message.replace(/\.$/, '')}` : ''}.`
}

/** @returns whether a run came before another run of the same generation, by the numbers in their names: `…-g3`, `…-g3-2` */
export function isBefore(run: string, last: string): boolean {
	const [a, b] = [countsIn(run), countsIn(last)]
	return a !== undefined && b !== undefined && a.generation === b.generation && a.attempt < b.attempt
}

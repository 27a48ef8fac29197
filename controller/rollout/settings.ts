import { rolloutOf } from '../../contract/rollout.ts'
import type { RolloutView } from '../model/snapshot.ts'

/** Data of a ConfigMap; undefined if it does not exist. */
export type Data = Readonly<Record<string, string>> | undefined

/** The effective settings of the rollout: those of the chart, combined with the pause that a person requested. */
export type Settings = {
	/** Sets the data of ConfigMap multinic-rollout. */
	chart(data: Data): void
	/** Sets the data of ConfigMap multinic-rollout-pause. */
	person(data: Data): void
	now(): RolloutView['settings']
}

/** The settings are the defaults until data is set. */
export function createSettings(): Settings {
	let read: { chart: Data; person: Data } = { chart: undefined, person: undefined }
	let now = rolloutOf(undefined, undefined)
	const take = (news: Partial<typeof read>) => {
		read = { ...read, ...news }
		now = rolloutOf(read.chart, read.person)
	}
	return { chart: chart => take({ chart }), person: person => take({ person }), now: () => now }
}

import { rolloutOf } from '../contract/rollout.ts'
import type { Standing } from './snapshot.ts'

/** Of a ConfigMap; undefined where there is none. */
export type Data = Readonly<Record<string, string>> | undefined

/** The settings of the rollout as they stand: those of the chart, and the pause that a person asks for. */
export type Settings = {
	/** The data of ConfigMap multinic-rollout. */
	chart(data: Data): void
	/** The data of ConfigMap multinic-rollout-pause. */
	person(data: Data): void
	now(): Standing['settings']
}

/** The defaults, until something is read. */
export function createSettings(): Settings {
	let read: { chart: Data; person: Data } = { chart: undefined, person: undefined }
	let now = rolloutOf(undefined, undefined)
	const take = (news: Partial<typeof read>) => {
		read = { ...read, ...news }
		now = rolloutOf(read.chart, read.person)
	}
	return { chart: chart => take({ chart }), person: person => take({ person }), now: () => now }
}

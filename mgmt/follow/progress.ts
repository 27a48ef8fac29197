import type { Meaning } from './events.ts'

/** What a stream has sent so far. */
export type Progress = {
	/** The node configs that exist, as far as the stream has sent them. */
	readonly nodeNames: ReadonlySet<string>
	/** Whether the stream has sent every node config. */
	readonly isComplete: boolean
	/** To be sent as `Last-Event-ID`. */
	readonly lastId: string | undefined
	/** Adds an event. @param id its id, if it has one */
	add(meaning: Meaning, id?: string): void
	/** Forgets everything: the next events are those of a stream that begins. */
	restart(): void
}

/**
 * Creates the progress of a stream that has sent nothing yet.
 *
 * The id of an event counts only once everything has been sent: a stream that is continued in the middle of the first node configs would
 * never send the others.
 */
export function createProgress(): Progress {
	const nodeNames = new Set<string>()
	let isComplete = false
	let lastId: string | undefined
	const restart = () => {
		nodeNames.clear()
		isComplete = false
		lastId = undefined
	}
	return {
		nodeNames,
		get isComplete() {
			return isComplete
		},
		get lastId() {
			return isComplete ? lastId : undefined
		},
		add(meaning, id) {
			if (meaning.kind === 'reset') restart()
			if (meaning.kind === 'synced') isComplete = true
			if (meaning.kind === 'config') nodeNames.add(meaning.view.nodeName)
			if (meaning.kind === 'invalid' && meaning.nodeName !== undefined) nodeNames.add(meaning.nodeName)
			if (meaning.kind === 'deleted') nodeNames.delete(meaning.nodeName)
			lastId = id ?? lastId
		},
		restart,
	}
}

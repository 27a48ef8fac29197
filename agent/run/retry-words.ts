import type { WantedInterface } from '../../contract/interface.ts'
import type { Outcome } from '../report/outcome.ts'
import type { Suspect } from './bisect.ts'
import type { Lesson, Retry } from './retry.ts'

type Known = { interfaces: readonly WantedInterface[]; outcome: Outcome; retry: Retry }

/** @returns the head and the text of a log line: why the run tries again, and without what */
export function lessonWords(lesson: Lesson, known: Known): [head: string, words: string] {
	switch (lesson.kind) {
		case 'narrowed':
			return ['held back', `${namesOf(lesson.heldBack, known)}; the others are tried again`]
		case 'lostByOthers':
			return ['again', 'this run did not cause the loss, so the same changes are applied again']
		case 'renameDown':
		case 'excluded':
			return ['again', [...exclusions(known), ...(known.retry.renameDown ? ['links are set down to be renamed'] : [])].join('; ')]
	}
}

function exclusions(known: Known): string[] {
	const left = [...known.retry.failed.keys(), ...known.retry.kept.keys()]
	return left.length > 0 ? [`without ${namesOf(left, known)}`] : []
}

function namesOf(suspects: readonly Suspect[], { interfaces, outcome: { plan } }: Known): string {
	const removals = [...plan.released, ...plan.kept].flatMap(({ ours }) =>
		suspects.includes(ours.mac) ? [`the removal of ${ours.name} (${ours.mac})`] : [],
	)
	return [...interfaces.flatMap(({ id, name }) => (suspects.includes(id) ? [name] : [])), ...removals].join(', ')
}

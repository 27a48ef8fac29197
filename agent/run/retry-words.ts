import type { WantedInterface } from '../../contract/interface.ts'
import type { Outcome } from '../report/outcome.ts'
import type { ChangeId } from './bisect.ts'
import type { RetryReason, RetryState } from './retry.ts'

type RetryContext = { interfaces: readonly WantedInterface[]; outcome: Outcome; retry: RetryState }

/** @returns the heading and the text of the log line about why the run retries and what it excludes */
export function retryWords(reason: RetryReason, known: RetryContext): [head: string, words: string] {
	switch (reason.kind) {
		case 'narrowed':
			return ['held back', `${namesOf(reason.withheld, known)}; the others are tried again`]
		case 'lostByOthers':
			return ['again', 'this run did not cause the loss, so the same changes are applied again']
		case 'renameDown':
		case 'excluded':
			return ['again', [...exclusions(known), ...(known.retry.renameDown ? ['links are set down to be renamed'] : [])].join('; ')]
	}
}

function exclusions(known: RetryContext): string[] {
	const left = [...known.retry.failed.keys(), ...known.retry.kept.keys()]
	return left.length > 0 ? [`without ${namesOf(left, known)}`] : []
}

function namesOf(changes: readonly ChangeId[], { interfaces, outcome: { plan } }: RetryContext): string {
	const removals = [...plan.released, ...plan.kept].flatMap(({ ours }) =>
		changes.includes(ours.mac) ? [`the removal of ${ours.name} (${ours.mac})`] : [],
	)
	return [...interfaces.flatMap(({ id, name }) => (changes.includes(id) ? [name] : [])), ...removals].join(', ')
}

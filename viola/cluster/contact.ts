import { isKubeFailure } from '../../runtime/kube/index.ts'
import { wordsOf } from '../../runtime/errors.ts'

/** `unknown`: no request has ended yet. */
export type ContactState = 'unknown' | 'up' | 'down'

/** Whether the API server of a cluster responds, according to the requests to it. */
export type Contact = {
	state(): ContactState
	/** Why the cluster is down, or the result of the last list or watch. */
	why(): string
	/** Must be called after every attempt of a request, with the verb and the status code; `<error>` if there was no response. */
	tried(call: Readonly<{ verb: string; code: string }>): void
	/** Must be called with the failure of a request. */
	failed(error: unknown): void
}

/**
 * Creates the record of a cluster that has not been contacted yet.
 *
 * A cluster is down when a connection fails or a request gets no response in time, and up again with the next response of any kind. A
 * request that its caller has canceled does not change the state, nor does a kept-alive connection that had been closed.
 *
 * @param onChange called when the state changes
 */
export function createContact(onChange: (state: ContactState, why: string) => void): Contact {
	let state: ContactState = 'unknown'
	let why = 'no request has been answered yet'
	const set = (next: ContactState) => {
		if (state === next) return
		state = next
		onChange(state, why)
	}
	return {
		state: () => state,
		why: () => why,
		tried({ verb, code }) {
			const isReading = verb === 'list' || verb === 'watch'
			if (code !== '<error>') {
				if (isReading) why = `the API server answered the last ${verb} with ${code}`
				set('up')
			} else if (isReading) {
				why = `the last ${verb} got no response`
				set('down')
			}
		},
		failed(error) {
			if (!isLost(error)) return
			why = wordsOf(error)
			set('down')
		},
	}
}

/** Returns whether a request got no response. Any status is a response, including 504. */
function isLost(error: unknown): boolean {
	return isKubeFailure(error, 'UNREACHABLE', 'TIMED_OUT') && !('status' in error.facts) && error.facts.stale !== true
}

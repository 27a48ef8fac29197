import { Failure } from '../../runtime/errors.ts'
import type { ViolaCode } from '../model/failures.ts'
import type { ContactState } from './contact.ts'

/** A retryable failure, with the time after which a client should try again (milliseconds). */
const RETRY = { retry: true, facts: { retryAfterMs: 5_000 } }

type Standing = { providerId: string; state: ContactState; why: string; isSynced: boolean }

/** Returns why the node configs of a cluster cannot be changed now; undefined if they can. */
export function unavailable({ providerId, state, why, isSynced }: Standing): Failure<ViolaCode> | undefined {
	if (state === 'down') return unreachable(providerId, why)
	if (isSynced) return undefined
	const message = `the node configs of provider ${providerId} have not been read yet (${why}); try again in a few seconds`
	return new Failure('CLUSTER_NOT_SYNCED', message, RETRY)
}

/** Returns the failure of a request to a cluster that is down. */
export function unreachable(providerId: string, why: string): Failure<ViolaCode> {
	const message = `the cluster of provider ${providerId} cannot be reached: ${why}; viola tries again every 5 s`
	return new Failure('CLUSTER_UNREACHABLE', message, RETRY)
}

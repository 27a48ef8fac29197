import { sleep } from '../../runtime/clock.ts'
import { isFailure } from '../../runtime/errors.ts'
import type { GrantedClient } from '../disclosure/client.ts'
import { retryAfterOf } from './batches.ts'

/** The longest time that a call waits, in milliseconds. A longer one is left to the next reconcile, because this one occupies a worker. */
const WAIT_MAX_MS = 5_000

/** Maximum number of attempts of one call. */
const ATTEMPTS = 5

/**
 * Returns a client that repeats a call that viola rejected with `Retry-After`, after that time. Viola has a rate limit, and a withdrawal of
 * many nodes makes one call per node.
 *
 * @param signal ends the waiting
 */
export function patient(client: GrantedClient, signal: AbortSignal): GrantedClient {
	const call: GrantedClient['call'] = async request => {
		for (let left = ATTEMPTS; ; ) {
			try {
				return await client.call(request)
			} catch (error) {
				left--
				const waitMs = waitFor(error)
				if (left === 0 || waitMs === 0 || !(await sleep(waitMs, signal))) throw error
			}
		}
	}
	return { ...client, call }
}

/** @returns 0 if the call must not be repeated */
function waitFor(error: unknown): number {
	const waitMs = isFailure(error) ? retryAfterOf(error) : 0
	return waitMs > WAIT_MAX_MS ? 0 : waitMs
}

import fc from 'fast-check'
import type { Fault, OnRequest } from './faults.ts'

/** API Priority and Fairness rejects the request because all its seats are in use. */
export function tooManyRequests(retryAfterSeconds = 1): Fault {
	return { fault: 'answer', status: 429, body: 'Too many requests, please try again later.\n', retryAfterSeconds }
}

/** etcd has reached its quota: reads continue, writes fail. */
export function storageFull(): Fault {
	return { fault: 'answer', status: 500, body: status(500, 'etcdserver: mvcc: database space exceeded') }
}

/** etcd has just lost its leader. */
export function leaderChanged(): Fault {
	return { fault: 'answer', status: 500, body: status(500, 'etcdserver: leader changed') }
}

/** The API server is shutting down, or a load balancer has no healthy backend. */
export function unavailable(retryAfterSeconds?: number): Fault {
	const body = { ...status(503, 'apiserver is shutting down'), reason: 'ServiceUnavailable' }
	return { fault: 'answer', status: 503, body, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) }
}

/** Any fault that a single request may have; faults of watches do not affect other requests. */
export function anyFault(): fc.Arbitrary<Fault> {
	const afterLines = fc.nat({ max: 4 })
	return fc.oneof(
		fc.constantFrom(leaderChanged(), unavailable(), storageFull()),
		fc.record({ fault: fc.constant('reset' as const), when: fc.constantFrom('before' as const, 'after' as const) }),
		fc.record({ fault: fc.constantFrom('silence' as const, 'cut' as const), afterLines }),
	)
}

/** Faults for some of the first `length` requests, in their order. Later requests have no fault. */
export function anyTrouble(length: number): fc.Arbitrary<(Fault | undefined)[]> {
	return fc.array(fc.option(anyFault(), { nil: undefined, freq: 2 }), { maxLength: length })
}

/** Applies the next of these faults to each request that `concerns` accepts. */
export function inTurn(faults: readonly (Fault | undefined)[], concerns: (verb: string) => boolean = () => true): OnRequest {
	const left = [...faults]
	return ({ verb }) => (concerns(verb) ? left.shift() : undefined)
}

function status(code: number, message: string) {
	return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code }
}

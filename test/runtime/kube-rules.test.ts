import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createBackoff } from '../../runtime/kube/backoff.ts'
import { failureOf, retryAfterOf } from '../../runtime/kube/failures.ts'
import { collectionPath, defineKind, keyOf, nameOf, objectPath } from '../../runtime/kube/kind.ts'
import { ConfigMap, Job, Node } from '../../runtime/kube/kinds.ts'
import { type LeaseSpec, acquiredSpec, releasedSpec, observe } from '../../runtime/kube/lease-spec.ts'
import { createStore } from '../../runtime/kube/store.ts'

describe('a path', () => {
	test.each([
		['of a core object', objectPath(ConfigMap, { namespace: 'a', name: 'b' }), '/api/v1/namespaces/a/configmaps/b'],
		['of a group', objectPath(Job, { namespace: 'a', name: 'b' }, 'status'), '/apis/batch/v1/namespaces/a/jobs/b/status'],
		['of a cluster-scoped object', objectPath(Node, { name: 'n' }), '/api/v1/nodes/n'],
		['of all namespaces', collectionPath(Job), '/apis/batch/v1/jobs'],
		['with a name that needs escaping', objectPath(Node, { name: 'a:b c' }), '/api/v1/nodes/a%3Ab%20c'],
		['of a cluster-scoped kind, even if a namespace is given', collectionPath(Node, 'x'), '/api/v1/nodes'],
	])('%s', (_, path, wanted) => {
		expect(path).toBe(wanted)
	})

	test.each([
		['without a namespace', () => objectPath(Job, { name: 'b' })],
		['without a name', () => objectPath(Node, { name: '' })],
	])('%s is reported as a bug', (_, act) => {
		expect(act).toThrow(/^bug: /)
	})

	test.each(['.', '..', 'a/b', 'a/../b', '%2e', 'a%2fb'])('is not built with the name %s, which would lead to another path', name => {
		for (const make of [
			() => objectPath(Node, { name }),
			() => objectPath(Job, { namespace: name, name: 'b' }),
			() => collectionPath(Job, name),
		])
			expect(make).toThrow(/is not a valid object name/)
	})

	test('a key can be converted back to its name', () => {
		const part = fc.stringMatching(/^[a-z0-9.-]{1,20}$/)
		fc.assert(
			fc.property(part, fc.option(part, { nil: undefined }), (name, namespace) => {
				const at = { name, ...(namespace !== undefined && { namespace }) }
				expect(nameOf(keyOf(at))).toEqual(at)
			}),
		)
	})

	test('a kind is immutable', () => {
		expect(Object.isFrozen(defineKind({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true }))).toBe(true)
	})
})

describe('an error response of the API server', () => {
	const status = (reason: string, message: string, details: object = {}) => JSON.stringify({ kind: 'Status', reason, message, details })
	test.each<[title: string, answer: [number, string], wanted: [code: string, retry: boolean], message: string]>([
		['object not found', [404, status('NotFound', 'jobs "a" not found')], ['NOT_FOUND', false], 'jobs "a" not found'],
		[
			'name already exists',
			[409, status('AlreadyExists', 'jobs "a" already exists')],
			['ALREADY_EXISTS', false],
			'jobs "a" already exists',
		],
		[
			'changed by another client in the meantime',
			[409, status('Conflict', 'the object has been modified')],
			['CONFLICT', true],
			'the object has been modified',
		],
		[
			'rejected by the schema',
			[422, status('Invalid', 'spec.mtu: must be at least 68')],
			['INVALID', false],
			'spec.mtu: must be at least 68',
		],
		['forbidden, which may be temporary', [403, status('Forbidden', 'jobs is forbidden')], ['FORBIDDEN', true], 'jobs is forbidden'],
		['resource version too old', [410, status('Expired', 'too old resource version')], ['EXPIRED', true], 'too old resource version'],
		[
			'HTML page of a load balancer',
			[503, '<html>no backend</html>'],
			['SERVER_ERROR', true],

			'GET /x: status 503 <html>no backend</html>',
		],
		['empty body', [502, ''], ['SERVER_ERROR', true], 'GET /x: status 502'],
		['JSON that is not an object', [500, 'null'], ['SERVER_ERROR', true], 'GET /x: status 500 null'],
	])('%s', (_, [status, body], [code, retry], message) => {
		expect(failureOf('GET /x', status, body)).toMatchObject({ code, retry, message })
	})

	test.each([
		['the header', failureOf('GET /x', 429, '', '7'), 7_000],
		['the body', failureOf('GET /x', 429, status('TooManyRequests', 'later', { retryAfterSeconds: 2 })), 2_000],
		['neither', failureOf('GET /x', 429, ''), 0],
		['a date, which is not supported', failureOf('GET /x', 503, '', 'Wed, 21 Oct 2026 07:28:00 GMT'), 0],
	])('the retry delay comes from %s', (_, failure, ms) => {
		expect(retryAfterOf(failure)).toBe(ms)
	})
})

describe('a store', () => {
	test('reports every change of its content, and continues when a handler throws', () => {
		const content = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat({ max: 3 }).map(String))
		const single = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), version: fc.option(fc.nat({ max: 3 }).map(String)) })
		fc.assert(
			fc.property(fc.array(fc.oneof(content, single)), steps => {
				const told = new Map<string, string>()
				const bugs: unknown[] = []
				const store = createStore<string>(
					(key, now, before) => {
						expect([told.get(key), now === before]).toEqual([before, false])
						if (now === undefined) told.delete(key)
						else told.set(key, now)
						throw new Error('a handler with a bug')
					},
					error => bugs.push(error),
				)
				for (const step of steps) apply(store, step)
				expect(bugs.filter(error => !String(error).endsWith('a handler with a bug'))).toEqual([])
				expect(Object.fromEntries(told)).toEqual(Object.fromEntries([...store.keys()].map(key => [key, store.get(key)])))
				expect([...store.values()].length).toBe(store.size)
			}),
		)
	})

	test('stays unchanged when a replacement is not committed', () => {
		const store = createStore<string>(
			() => {},
			() => {},
		)
		store.set('a', '1', 'one')
		store.startReplacing().add('b', '2', 'two')
		expect([...store.keys()]).toEqual(['a'])
	})
})

type Single = { key: string; version: string | null }

function apply(store: ReturnType<typeof createStore<string>>, step: Record<string, string> | Single): void {
	if ('key' in step && 'version' in step) {
		const { key, version } = step as Single
		if (version === null) store.remove(key)
		else store.set(key, version, version)
		return
	}
	const fresh = store.startReplacing()
	for (const [key, version] of Object.entries(step)) fresh.add(key, String(version), String(version))
	fresh.commit(false)
}

describe('a back-off', () => {
	test.each([
		['delays without jitter', 0, [100, 200, 400, 800, 1_000, 1_000]],
		['delays with the maximum jitter', 0.999_999, [50, 100, 200, 400, 500, 500]],
	])('%s', (_, chance, waits) => {
		const backoff = createBackoff({ firstMs: 100, maxMs: 1_000, chance: () => chance })
		expect(waits.map(() => Math.round(backoff.next()))).toEqual(waits)
		backoff.reset()
		expect(Math.round(backoff.next())).toBe(waits[0])
	})
})

describe('a lease', () => {
	const wallClock = new Date('2026-01-02T03:04:05.678Z')
	const held = (holderIdentity: string, seconds = 15): LeaseSpec => ({ holderIdentity, leaseDurationSeconds: seconds, leaseTransitions: 3 })
	const ask = (current: LeaseSpec | undefined, sinceMs: number) =>
		acquiredSpec({ current, since: current && { version: '1', at: 0 }, identity: 'me', leaseMs: 15_000, wallClock, monotonic: sinceMs })
	test.each<[title: string, current: LeaseSpec | undefined, sinceMs: number, wanted: object | undefined]>([
		[
			'that does not exist is created',
			undefined,
			0,
			{ holderIdentity: 'me', leaseTransitions: 0, acquireTime: '2026-01-02T03:04:05.678000Z' },
		],
		['of another holder is not acquired before it expires', held('other'), 14_999, undefined],
		['of another holder is acquired after it expires', held('other'), 15_000, { holderIdentity: 'me', leaseTransitions: 4 }],
		['of another holder with a longer duration is not acquired before the longer duration', held('other', 60), 59_999, undefined],
		['of another holder with a shorter duration is not acquired before the candidate’s own duration', held('other', 1), 14_999, undefined],
		['that was released is acquired immediately', held(''), 0, { holderIdentity: 'me', leaseTransitions: 4 }],
		[
			'of the candidate itself is renewed without a transition',
			held('me'),
			0,
			{ holderIdentity: 'me', leaseTransitions: 3, renewTime: '2026-01-02T03:04:05.678000Z' },
		],
	])('%s', (_, current, sinceMs, wanted) => {
		if (wanted) expect(ask(current, sinceMs)).toMatchObject(wanted)
		else expect(ask(current, sinceMs)).toBeUndefined()
	})

	test('expires by the time since its last observed version, not by its timestamps', () => {
		const lease = (resourceVersion: string) => ({ metadata: { name: 'l', resourceVersion } })
		const first = observe(lease('1'), undefined, 100)
		expect(observe(lease('1'), first, 900)).toEqual({ version: '1', at: 100 })
		expect(observe(lease('2'), first, 900)).toEqual({ version: '2', at: 900 })
		expect(observe(undefined, first, 900)).toBeUndefined()
	})

	test('is released only by its holder', () => {
		expect(releasedSpec(held('me'), 'me', wallClock)).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
		expect(releasedSpec(held('other'), 'me', wallClock)).toBeUndefined()
		expect(releasedSpec(undefined, 'me', wallClock)).toBeUndefined()
	})
})

import { expect, test } from 'vitest'
import { route } from '../../../viola/targets/routing.ts'
import { sourcesWith } from './targets.ts'

test('a request is routed to the target of its provider', () => {
	expect(route(sourcesWith(['biz', 'two']), 'two')).toMatchObject({ providerId: 'two' })
})

test.each<[sentence: string, request: { providerId?: string; isComplete?: boolean }, code: string, words: string]>([
	['no provider', {}, 'BAD_REQUEST', 'x-provider-id is required'],
	['an empty provider', { providerId: '' }, 'BAD_REQUEST', 'x-provider-id is required'],
	['an unknown provider', { providerId: 'other' }, 'UNKNOWN_PROVIDER', 'no cluster is configured for provider other'],
	['the name of a built-in property', { providerId: '__proto__' }, 'UNKNOWN_PROVIDER', 'no cluster is configured'],
	['a provider that an unread Secret may define', { providerId: 'other', isComplete: false }, 'CLUSTER_UNREACHABLE', 'not known yet'],
])('a request with %s is rejected', (_, { providerId, isComplete }, code, words) => {
	const routed = () => route(sourcesWith(['biz'], isComplete), providerId)
	expect(routed).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }))
})

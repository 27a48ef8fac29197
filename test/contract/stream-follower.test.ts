import { expect, test } from 'vitest'
import { createStreamFollower, type StreamChange } from '../../contract/stream-follower.ts'

/** Reads `connect`, `reset`, `synced #id`, `+name #id`, `-name #id`, and returns which node configs are gone, and the last id. */
function follow(steps: readonly string[], known: readonly string[] = []) {
	const follower = createStreamFollower(known)
	const gone: string[] = []
	for (const step of steps) {
		const [what = '', id] = step.split(' #')
		if (what === 'connect') follower.connect()
		else if (what === 'forget') follower.forget()
		else gone.push(...follower.take(changeIn(what), id))
	}
	return [gone, follower.lastEventId]
}

function changeIn(what: string): StreamChange {
	if (what === 'reset' || what === 'synced') return { event: what }
	return { event: what.startsWith('+') ? 'node-config' : 'deleted', nodeName: what.slice(1) }
}

const first = ['connect', '+a', '+b', 'synced #10']

test.each<[title: string, steps: string[], gone: string[], lastEventId: string | undefined]>([
	['nothing is gone after the first content', first, [], '10'],
	['a deleted node config is gone', [...first, '-a #11'], ['a'], '11'],
	['the deletion of an unknown node config is ignored', [...first, '-c #11'], [], '11'],
	['an event without an id leaves the last one', [...first, '+c'], [], '10'],
	['a connection that continues drops nothing', [...first, 'connect', '+b #11', 'synced #11'], [], '11'],
	['after reset, what is not sent again is gone with synced', [...first, 'connect', 'reset', '+b', '+c', 'synced #20'], ['a'], '20'],
	['nothing is gone before synced, and the id is no longer valid', [...first, 'connect', 'reset', '+b'], [], undefined],
	[
		'after a reset that was cut off, the next connection drops what it does not send',
		[...first, 'connect', 'reset', '+a', 'connect', '+b', 'synced #30'],
		['a'],
		'30',
	],
	['a deletion during a reset is reported once', [...first, 'connect', 'reset', '-a', '+b', 'synced #20'], ['a'], '20'],
	['a forgotten id makes the next connection start over', [...first, 'forget', 'connect', '+b', 'synced #20'], ['a'], '20'],
])('%s', (_, steps, gone, lastEventId) => {
	expect(follow(steps)).toEqual([gone, lastEventId])
})

test('what was known before the first connection and is not sent is gone', () => {
	expect(follow(first, ['a', 'old'])).toEqual([['old'], '10'])
})

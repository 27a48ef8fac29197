import { expect, test } from 'vitest'
import { keepTrying } from '../../../viola/cluster/keep-trying.ts'
import { manualTime } from '../../runtime/manual-time.ts'
import { settled } from './opened.ts'

function start(results: readonly (Error | undefined)[]) {
	const time = manualTime()
	const end = new AbortController()
	const failures: unknown[] = []
	let tries = 0
	const act = async () => {
		const result = results[tries++]
		if (result) throw result
	}
	const options = { signal: end.signal, onFailure: (error: unknown) => void failures.push(error), setTimer: time.setTimer, waitMs: 5_000 }
	return { time, end, failures, tries: () => tries, first: keepTrying(act, options) }
}

const bad = new Error('bad')

test('a success ends the attempts', async () => {
	const { first, time, tries, failures } = start([undefined])
	await first
	expect([tries(), failures, time.waiting()]).toEqual([1, [], 0])
})

test('a failure is followed by another attempt, at the given interval, until one succeeds', async () => {
	const { first, time, tries, failures } = start([bad, bad, undefined])
	await first
	for (const ms of [4_999, 1, 5_000, 5_000]) {
		time.pass(ms)
		await settled()
	}
	expect([tries(), failures, time.waiting()]).toEqual([3, [bad, bad], 0])
})

test('after the end no attempt is made and no failure is reported', async () => {
	const { first, end, time, failures } = start([bad])
	end.abort()
	await first
	expect([failures, time.waiting()]).toEqual([[], 0])
	const second = start([bad, undefined])
	await second.first
	second.end.abort()
	expect([second.tries(), second.time.waiting()]).toEqual([1, 0])
})

import { expect, test } from 'vitest'
import { share } from '../../../viola/cluster/shared.ts'

type Step = 'borrow' | 'release' | 'retire' | 'retire now'

test.each<[sentence: string, steps: Step[], closed: number]>([
	['an unused cluster stays open', ['borrow', 'release'], 0],
	['an unused cluster is closed when it is retired', ['retire'], 1],
	['a cluster in use stays open when it is retired', ['borrow', 'borrow', 'retire', 'release'], 0],
	['it is closed with its last request', ['borrow', 'borrow', 'retire', 'release', 'release'], 1],
	['it is closed once, if it is retired twice', ['retire', 'retire'], 1],
	['it can be closed while it is in use', ['borrow', 'retire now'], 1],
	['it is then not closed again', ['borrow', 'retire now', 'release'], 1],
	['it can be closed after it was retired', ['borrow', 'retire', 'retire now', 'release'], 1],
])('%s', (_, steps, closed) => {
	let count = 0
	const shared = share('cluster', () => void count++)
	const borrowed: ReturnType<typeof shared.borrow>[] = []
	for (const step of steps) {
		if (step === 'borrow') borrowed.push(shared.borrow())
		else if (step === 'release') borrowed.pop()?.release()
		else shared.retire(step === 'retire now')
	}
	expect(count).toBe(closed)
})

test('the replacement of a cluster is reported once to each running request', () => {
	const shared = share('cluster', () => {})
	const told: string[] = []
	shared.borrow(() => void told.push('running'))
	shared.borrow(() => void told.push('ended')).release()
	shared.retire()
	shared.retire(true)
	expect(told).toEqual(['running'])
})

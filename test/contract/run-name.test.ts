import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attemptOf, countsIn, runName } from '../../contract/run-name.ts'

describe('the name of a run', () => {
	const uid = '0c497169-a104-4448-afde-f27b79fca904'
	test.each<[title: string, node: string, at: [generation: number, attempt: number], name: string]>([
		['carries node and generation', 'worker-1', [3, 1], 'multinic-agent-worker-1-g3'],
		['and a further attempt', 'worker-1', [3, 2], 'multinic-agent-worker-1-g3-2'],
		['a long one is cut and told apart by the uid', 'w'.repeat(60), [3, 2], `multinic-agent-${'w'.repeat(28)}-0c497169-g3-2`],
		[
			'and does not end in a dot where it is cut',
			`${'w'.repeat(27)}.${'x'.repeat(26)}`,
			[3, 2],
			`multinic-agent-${'w'.repeat(27)}-0c497169-g3-2`,
		],
	])('%s', (_, node, [generation, attempt], name) => {
		expect(runName({ name: node, uid, generation }, attempt)).toBe(name)
	})

	test('is always a valid Job name and never that of another generation or attempt', () => {
		const nodeName = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,250}[a-z0-9])?$/)
		fc.assert(
			fc.property(nodeName, fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }), (name, generation, attempt) => {
				const own = runName({ name, uid, generation }, attempt)
				expect(own).toMatch(/^[a-z0-9]([-a-z0-9.]{0,55}[a-z0-9])?$/)
				expect(runName({ name, uid, generation: generation + 1 }, attempt)).not.toBe(own)
				expect(runName({ name, uid, generation }, attempt + 1)).not.toBe(own)
				expect(countsIn(own)).toEqual({ generation, attempt })
				expect(attemptOf(own)).toBe(attempt)
			}),
		)
	})

	test.each(['', 'worker-1', 'multinic-agent-worker-1', 'multinic-agent-worker-g3-x', 'g3'])('is not %j, which has no count', name => {
		expect(countsIn(name)).toBeUndefined()
		expect(attemptOf(name)).toBe(1)
	})
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Place, readRollout, rolloutOrder, waveLimit } from '../../contract/rollout.ts'

describe('the settings of a rollout', () => {
	test('may all be omitted', () => {
		const defaults = { paused: false, maxUnavailable: '10%', verifyIntervalSeconds: 3_600, maxVerifications: 5, repairsPerHour: 3 }
		expect(readRollout(undefined)).toEqual({ value: defaults })
		expect(readRollout({})).toEqual({ value: defaults })
	})

	test.each<[key: string, text: string, words: string]>([
		['paused', 'ture', 'paused: must be true or false'],
		['paused', '', 'paused: must be true or false'],
		['maxUnavailable', '0', 'maxUnavailable: must be a number of nodes such as 3, or a percentage such as 10%'],
		['maxUnavailable', '0%', 'maxUnavailable: must be a number of nodes such as 3, or a percentage such as 10%'],
		['maxUnavailable', '101%', 'maxUnavailable: must be a number of nodes such as 3, or a percentage such as 10%'],
		['maxUnavailable', '10 %', 'maxUnavailable: must be a number of nodes such as 3, or a percentage such as 10%'],
		['maxUnavailable', '-1', 'maxUnavailable: must be a number of nodes such as 3, or a percentage such as 10%'],
		['verifyIntervalSeconds', '1h', 'verifyIntervalSeconds: must be a whole number from 0 to 2592000'],
		['verifyIntervalSeconds', '2592001', 'verifyIntervalSeconds: Too big: expected number to be <=2592000'],
		['maxVerifications', '0', 'maxVerifications: Too small: expected number to be >=1'],
		['repairsPerHour', '6', 'repairsPerHour: Too big: expected number to be <=5'],
		['maxUnavailible', '3', 'Unrecognized key: "maxUnavailible"'],
	])('%s: %j is rejected by name', (key, text, words) => {
		expect(readRollout({ [key]: text })).toEqual({ fault: words })
	})

	test('are all reported if several are invalid', () => {
		expect(readRollout({ paused: 'no', repairsPerHour: 'x' })).toEqual({
			fault: 'paused: must be true or false; repairsPerHour: must be a whole number from 0 to 5',
		})
	})
})

describe('how many nodes are changed concurrently', () => {
	test.each<[maxUnavailable: string, nodes: number, limit: number]>([
		['10%', 3, 1],
		['10%', 0, 1],
		['10%', 19, 1],
		['10%', 20, 2],
		['100%', 1_000, 1_000],
		['3', 1_000, 3],
		['3', 1, 3],
	])('%s of %i nodes: %i', (maxUnavailable, nodes, limit) => {
		expect(waveLimit(maxUnavailable, nodes)).toBe(limit)
	})
})

const place = fc.record({ name: fc.stringMatching(/^[a-z0-9]{1,4}$/), controlPlane: fc.boolean(), isNew: fc.boolean() })

test('a rollout starts with the workers, by name; in each group, new node configs are last', () => {
	const places = [
		{ name: 'c', controlPlane: true, isNew: false },
		{ name: 'a0', controlPlane: true, isNew: true },
		{ name: 'b', controlPlane: false, isNew: false },
		{ name: 'b0', controlPlane: false, isNew: true },
		{ name: 'a', controlPlane: true, isNew: false },
		{ name: 'd', controlPlane: false, isNew: false },
	]
	expect(places.sort(rolloutOrder).map(({ name }) => name)).toEqual(['b', 'd', 'b0', 'a', 'c', 'a0'])
})

test('the rollout order does not depend on the order of the input', () => {
	fc.assert(
		fc.property(fc.uniqueArray(place, { selector: ({ name }) => name }), places => {
			const forwards = [...places].sort(rolloutOrder)
			expect([...places].reverse().sort(rolloutOrder)).toEqual(forwards satisfies Place[])
		}),
	)
})

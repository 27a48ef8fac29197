import { expect, test } from 'vitest'
import { figure, type Measured, median, middlePair } from '../../bench/figure.ts'
import { table } from '../../bench/table.ts'

const wall: Measured = { name: 'wall', value: 480, unit: 'ms' }

test.each<[title: string, measured: Measured, ok: boolean]>([
	['a figure without a limit passes', wall, true],
	['a figure at its upper limit passes', { ...wall, atMost: 480 }, true],
	['a figure above its upper limit fails', { ...wall, atMost: 479 }, false],
	['a rate below its lower limit fails', { ...wall, atLeast: 481 }, false],
	['a rate at its lower limit passes', { ...wall, atLeast: 480 }, true],
	['a figure within its limit relative to the baseline passes', { ...wall, floor: 60, atMostFloors: 8 }, true],
	['a figure above its limit relative to the baseline fails', { ...wall, floor: 59, atMostFloors: 8 }, false],
	['a figure that was not measured fails', { ...wall, value: Number.NaN }, false],
	['a figure is compared with its limit before it is rounded to three digits', { ...wall, value: 480.4, atMost: 480 }, false],
])('%s', (_, measured, ok) => {
	expect(figure(measured).ok).toBe(ok)
})

test('a figure has exactly the printed fields, and a limit relative to the baseline is printed in the unit of the value', () => {
	expect(figure({ ...wall, floor: 61.234, atMostFloors: 8 })).toEqual({
		name: 'wall',
		value: 480,
		unit: 'ms',
		limit: 490,
		floor: 61.2,
		ratio: 7.84,
		ok: true,
	})
})

test('the table shows the direction of each limit, and marks failures', () => {
	const figures = [figure({ ...wall, atMost: 100 }), figure({ name: 'rate', value: 60, unit: 'nodes/s', atLeast: 50, floor: 90 })]
	expect(table(figures)).toBe(
		['BAD  wall  480 ms      at most 100 ms', 'ok   rate  60 nodes/s  at least 50 nodes/s  0.667 × the baseline of 90 nodes/s', ''].join(
			'\n',
		),
	)
})

test('the median is the middle value', () => {
	expect([median([3, 1, 2]), median([1, 2, 3, 4]), median([])]).toEqual([2, 3, Number.NaN])
})

test('the middle pair is the pair with the median ratio, regardless of its absolute values', () => {
	const slow = { value: 400, floor: 100 }
	expect(middlePair([{ value: 100, floor: 30 }, slow, { value: 150, floor: 30 }])).toBe(slow)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Move } from '../../../agent/model/selection.ts'
import { orderRenames, temporaryName, waitForNames } from '../../../agent/plan/rename-order.ts'
import { hostOf } from './selected.ts'

/** Renames in an order that the kernel accepts: two links never have the same name. */

const move = (link: number, from: string, to: string): Move => ({ link, from, to })

describe('a link', () => {
	test.each<[title: string, moves: Move[], first: [number, string][], second: [number, string][]]>([
		['that has its desired name is not renamed', [move(3, 'a', 'a')], [], []],
		['is renamed directly to a name that no link has', [move(3, 'a', 'b')], [[3, 'b']], []],
		['waits for a name that another link releases', [move(3, 'a', 'b'), move(4, 'b', 'c')], [[4, 'c']], [[3, 'b']]],
		[
			'has a temporary name while it waits and another link waits for its name',
			[move(3, 'a', 'b'), move(4, 'b', 'c'), move(5, 'c', 'd')],
			[
				[5, 'd'],
				[4, 'mntmp4'],
			],
			[
				[3, 'b'],
				[4, 'c'],
			],
		],
		[
			'has a temporary name while it exchanges names with another',
			[move(3, 'a', 'b'), move(4, 'b', 'a')],
			[
				[3, 'mntmp3'],
				[4, 'mntmp4'],
			],
			[
				[3, 'b'],
				[4, 'a'],
			],
		],
	])('%s', (_, moves, first, second) => {
		const renames = (all: [number, string][]) => all.map(([link, to]) => ({ link, to }))
		expect(orderRenames(moves)).toEqual({ first: renames(first), second: renames(second) })
	})

	const names = ['a', 'b', 'c', 'd', 'e', 'f']
	const moves = fc
		.tuple(
			fc.shuffledSubarray(names, { minLength: 4, maxLength: 4 }),
			fc.shuffledSubarray(names, { minLength: 4, maxLength: 4 }),
			fc.subarray([0, 1, 2, 3]),
		)
		.map(([from, to, moving]) => from.map((name, at) => move(at, name, moving.includes(at) ? (to[at] ?? '') : name)))
		.filter(all => new Set(all.map(({ to }) => to)).size === all.length)

	test('has its desired name at the end, and never a name that another link has or released in the same phase', () => {
		fc.assert(
			fc.property(moves, all => {
				const { first, second } = orderRenames(all)
				const now = new Map(all.map(({ link, from }) => [link, from]))
				for (const phase of [first, second]) {
					const held = new Set(now.values())
					for (const { link, to } of phase) {
						expect(held).not.toContain(to)
						now.set(link, to)
					}
					expect(new Set(now.values()).size).toBe(now.size)
				}
				expect([...now]).toEqual(all.map(({ link, to }) => [link, to]))
			}),
		)
	})
})

test('a temporary name has at most 15 characters', () => {
	expect(temporaryName(2 ** 31 - 1)).toBe('mntmp2147483647')
})

test.each<[title: string, daemons: object, names: string[], waits: boolean]>([
	['waits if udev runs', { systemd: true }, ['a'], true],
	['waits if systemd-networkd runs', { networkd: true }, ['a'], true],
	['waits if NetworkManager runs', { networkmanager: true }, ['a'], true],
	['waits for no name', { systemd: true, networkd: true, networkmanager: true }, [], false],
	['does not wait if the host has no daemon', {}, ['a'], false],
])('a run %s', (_, daemons, names, waits) => {
	expect(waitForNames(names, hostOf({}, daemons))).toEqual(waits ? [{ action: { kind: 'waitForNames', names } }] : [])
})

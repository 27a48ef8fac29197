import { expect, test } from 'vitest'
import { createBacklog, LIMITS } from '../../../mgmt/inventory/backlog.ts'
import type { Change } from '../../../mgmt/inventory/inventory.ts'
import { nics, reported, sent, view } from './samples.ts'

const limits = { changes: 3, characters: 10_000, ofProvider: 20_000 }
const of = (providerId: string, node: number, manager = '') => reported(view(node, [], { providerId, lastManager: manager }))
const large = (providerId: string, node: number, length: number) => of(providerId, node, 'x'.repeat(length))
const namesOf = (changes: readonly Change[]) =>
	changes.map(change => (change.kind === 'reported' ? `${change.providerId} ${change.view.nodeName}` : change.kind))

test.each([
	['the changes of each provider have a limit', [1, 2, 3, 4].map(node => of('a', node)).concat(of('b', 1)), ['a worker-4']],
	['a newer change of the same node takes the place of the older', [1, 2, 3, 3, 1].map(node => of('a', node)), []],
	['a change that is too large has no room', [large('a', 1, 10_000), of('a', 2)], ['a worker-1']],
	['the size of all changes of a provider has a limit', [1, 2, 3].map(node => large('a', node, 9_000)).concat(of('b', 1)), ['a worker-3']],
])('%s', (_, changes, dropped) => {
	expect(namesOf(createBacklog(limits).add(changes))).toEqual(dropped)
})

test('what is stored or forgotten makes room', () => {
	const backlog = createBacklog(limits)
	const changes = [1, 2].map(node => large('a', node, 9_000))
	for (const empty of [() => backlog.done(changes), () => backlog.clear()]) {
		expect(backlog.add(changes)).toEqual([])
		expect(backlog.add([large('a', 3, 9_000)])).toHaveLength(1)
		empty()
		expect(backlog.isEmpty()).toBe(true)
	}
	expect(backlog.add(changes)).toEqual([])
})

test('of a thing for which there is no room any more, nothing older is kept either', () => {
	const backlog = createBacklog(limits)
	backlog.add([of('a', 1)])
	expect(backlog.add([large('a', 1, 10_000)])).toHaveLength(1)
	expect(backlog.isEmpty()).toBe(true)
})

test('5,000 nodes with 10 NICs each, sent and reported, have room', () => {
	const changes = Array.from({ length: 5_000 }, (_, i) => [sent(i, nics(i, 10)), reported(view(i, nics(i, 10)))]).flat()
	expect(createBacklog(LIMITS).add(changes)).toEqual([])
})

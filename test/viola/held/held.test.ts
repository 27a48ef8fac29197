import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHeld } from '../../../viola/held/held.ts'
import { createSortedNames } from '../../../viola/held/sorted-names.ts'
import { entryOf, replicaOf } from '../read/replica.ts'

const namesOf = (entries: readonly { nodeName: string }[]) => entries.map(({ nodeName }) => nodeName)

test('for any additions and removals, names are sorted and unique, and a page continues after any name', () => {
	const name = fc.string({ minLength: 1, maxLength: 2, unit: fc.constantFrom('a', 'b', '-', '1') })
	const change = fc.record({ isAdded: fc.boolean(), name })
	const property = fc.property(fc.array(change), name, fc.nat({ max: 5 }), (changes, after, limit) => {
		const sorted = createSortedNames()
		const known = new Set<string>()
		for (const { isAdded, name } of changes) {
			if (isAdded) sorted.add(name)
			else sorted.remove(name)
			if (isAdded) known.add(name)
			else known.delete(name)
		}
		const all = [...known].sort()
		expect(sorted.after(undefined)).toEqual(all)
		expect(sorted.after(after, limit)).toEqual(all.filter(other => other > after).slice(0, limit))
	})
	fc.assert(property, { numRuns: 500 })
})

describe('changes after a version', () => {
	test.each<[title: string, version: string, changes: [string, bigint][] | undefined]>([
		['nothing, if it is the current version', '30', []],
		[
			'those with a later version, in their order',
			'12',
			[
				['b', 20n],
				['a', 30n],
			],
		],
		[
			'only the last one of each node',
			'10',
			[
				['c', 12n],
				['b', 20n],
				['a', 30n],
			],
		],
		['unknown, if it is before the list', '9', undefined],
		['unknown, if it is not reached yet', '31', undefined],
		['unknown, if it is not a version', 'x', undefined],
		['unknown, if it is empty', '', undefined],
		['unknown, if it is negative', '-1', undefined],
		['unknown, if it is too long', '1'.repeat(1_000), undefined],
	])('are %s', (_, version, changes) => {
		const { held, set, remove } = replicaOf(['a', 'b'], 10)
		set('a', 11)
		set('c', 12)
		remove('b', 20)
		set('a', 30)
		expect(held.changesAfter(version)).toEqual(changes?.map(([nodeName, version]) => ({ nodeName, version })))
	})

	test('are unknown before the first list', () => {
		expect(createHeld().changesAfter('0')).toBeUndefined()
	})

	test('are unknown before a later list, which does not show what was created and deleted in the meantime', () => {
		const { held, set } = replicaOf(['a'], 10)
		set('b', 12)
		held.reach('20', true)
		expect([held.changesAfter('12'), held.changesAfter('20')]).toEqual([undefined, []])
	})

	test('are unknown before a deletion that is no longer remembered', () => {
		const held = createHeld(1)
		held.observe(entryOf('a', 1), undefined)
		held.observe(entryOf('b', 2), undefined)
		held.reach('2', true)
		for (const [version, name] of [
			['3', 'a'],
			['4', 'b'],
		] as const) {
			held.observe(undefined, held.content.find(name))
			held.reach(version, false)
		}
		expect([held.changesAfter('2'), held.changesAfter('3')]).toEqual([undefined, [{ nodeName: 'b', version: 4n }]])
	})

	test('of an own deletion are known when the watch has reached it, although the node config is no longer held', () => {
		const { held, set, remove } = replicaOf(['a', 'b'], 10)
		const without = replicaOf(['a'], 10).held.content.digest
		held.hide('b')
		held.hide('b')
		expect([namesOf(held.content.after()), held.content.find('b'), held.content.digest]).toEqual([['a'], undefined, without])
		set('a', 11)
		held.observe(undefined, entryOf('b', 2))
		held.reach('12', false)
		expect(held.changesAfter('11')).toEqual([{ nodeName: 'b', version: 12n }])
		remove('a', 13)
		expect(held.content.digest).toBe(createHeld().content.digest)
	})

	test('of an own write are known when the watch has reached its version', () => {
		const { held, set } = replicaOf(['a'], 10)
		const heard: string[] = []
		const end = held.subscribe(changes => heard.push(...changes.map(({ nodeName, version }) => `${nodeName}@${version}`)))
		held.observe(entryOf('own', 13), undefined)
		set('a', 12)
		expect([held.content.find('own')?.resourceVersion, heard, held.version]).toEqual(['13', ['a@12'], '12'])
		held.reach('13', false)
		end()
		set('a', 14)
		expect(heard).toEqual(['a@12', 'own@13'])
	})
})

describe('the digest', () => {
	test('is equal for equal content, whatever happened before', () => {
		const first = replicaOf(['a', 'b', 'c'], 10)
		first.set('b', 11)
		first.remove('c', 12)
		const second = replicaOf([], 12)
		second.held.observe(entryOf('b', 11), undefined)
		second.held.observe(entryOf('a', 1), undefined)
		expect(second.held.content.digest).toBe(first.held.content.digest)
	})

	test('changes with every change and deletion, and not with a bookmark or an unchanged report', () => {
		const { held, set, remove } = replicaOf(['a', 'b'], 10)
		const seen = [held.content.digest]
		held.reach('11', false)
		held.observe(held.content.find('a'), held.content.find('a'))
		expect(held.content.digest).toBe(seen[0])
		set('a', 12)
		seen.push(held.content.digest)
		remove('b', 13)
		seen.push(held.content.digest)
		expect(new Set(seen).size).toBe(3)
	})
})

test('node configs are in the order of their names, and a deletion of an unknown one does not change them', () => {
	const { held, set } = replicaOf(['w-2', 'w-10'], 10)
	set('w-1', 11)
	held.observe(undefined, entryOf('w-3', 3))
	held.observe(undefined, undefined)
	expect([namesOf(held.content.after()), namesOf(held.content.after('w-1', 1)), namesOf(held.content.after('w-2'))]).toEqual([
		['w-1', 'w-10', 'w-2'],
		['w-10'],
		[],
	])
})

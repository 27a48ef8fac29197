import { expect, test } from 'vitest'
import { createRecent } from '../../mgmt/openstack/recent.ts'

test('the least recently used entry is removed first', () => {
	const recent = createRecent<number>(2)
	recent.set('a', 1)
	recent.set('b', 2)
	expect(recent.get('a')).toBe(1)
	recent.set('c', 3)
	expect(['a', 'b', 'c'].map(recent.get)).toEqual([1, undefined, 3])
	recent.delete('a')
	recent.set('d', 4)
	expect(['a', 'c', 'd'].map(recent.get)).toEqual([undefined, 3, 4])
})

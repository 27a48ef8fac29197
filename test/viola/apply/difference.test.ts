import { expect, test } from 'vitest'
import type { Interface } from '../../../contract/interface.ts'
import { differenceOf } from '../../../viola/apply/difference.ts'
import { nic } from '../nodes.ts'

const second = { ...nic, id: 1, macAddress: 'fa:16:3e:37:c3:f2' }
const { id: _, ...uncounted } = nic

test.each<[sentence: string, before: Interface[], after: Interface[], difference: object]>([
	['equal lists have no difference', [nic, second], [second, nic], {}],
	['a new node config adds all its interfaces', [], [nic, second], { added: [0, 1] }],
	['a withdrawn one removes all of them', [nic, second], [], { removed: [0, 1] }],
	['an interface with another MTU is changed', [nic, second], [nic, { ...second, mtu: 9000 }], { changed: [1] }],
	['an interface with another id is removed and added', [nic], [{ ...nic, id: 4 }], { added: [4], removed: [0] }],
	['the name and a default are no difference', [nic], [{ name: 'multinic0', defaultRoute: false, ...nic }], {}],
	['an interface without an id has that of its position', [uncounted], [nic], {}],
])('%s', (_, before, after, difference) => {
	expect(differenceOf(before, after)).toEqual({ added: [], removed: [], changed: [], ...difference })
})

import { describe, expect, test } from 'vitest'
import { condition } from '../../../contract/status.ts'
import { isSameMachine, whenNodeReplaced } from '../../../controller/rules/node-identity.ts'
import { someNode, spec, world } from '../world.ts'

const id = '1f2e3d4c-5b6a-4789-8abc-0123456789ab'
const other = '9f2e3d4c-5b6a-4789-8abc-0123456789ab'

describe('a node is the VM of its node config', () => {
	test.each<[title: string, systemUUID: string, isSame: boolean]>([
		['if the ids are the same', id, true],
		['if they differ only in case', id.toUpperCase(), true],
		['if the bytes of the first three groups are reversed', '4c3d2e1f-6a5b-8947-8abc-0123456789ab', true],
		['unless the bytes of a later group are reversed', '4c3d2e1f-6a5b-8947-bc8a-0123456789ab', false],
		['unless the groups themselves are reversed', 'f1e2d3c4-b5a6-9874-8abc-0123456789ab', false],
		['unless the ids differ', other, false],
	])('%s', (_, systemUUID, isSame) => {
		expect(isSameMachine(systemUUID, id)).toBe(isSame)
		expect(isSameMachine(systemUUID, id.toUpperCase())).toBe(isSame)
	})

	test.each(['ec2-0a1b2c', `x${other}`, `${other}0`, other.replaceAll('-', ''), other.slice(0, -1), 'g'.repeat(8) + other.slice(8)])(
		'or may be, if one of the ids is not a UUID: %s',
		text => {
			expect(isSameMachine(text, id)).toBe(true)
			expect(isSameMachine(id, text)).toBe(true)
		},
	)
})

test('the status of a node that is another VM contains the id of that VM', () => {
	const decision = whenNodeReplaced(world({ node: { ...someNode, systemUUID: other }, spec: { value: { ...spec, instanceId: id } } }))
	expect(decision?.act === 'setStatus' && condition(decision.status, 'Ready')).toMatchObject({
		reason: 'NodeReplaced',
		message: `Node worker-1 is VM ${other}, not spec.instanceId. The run starts when they match.`,
	})
})

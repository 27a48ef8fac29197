import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { readEnv } from '../../runtime/env.ts'
import { isFailure } from '../../runtime/errors.ts'
import { faultsIn } from '../../runtime/faults.ts'

const Spec = z.strictObject({ nics: z.array(z.object({ mtu: z.int('must be a whole number') })), name: z.string('must be a text') })

function faultsOf(value: unknown, subject?: Parameters<typeof faultsIn>[1]): string {
	const { error } = Spec.safeParse(value)
	return error ? faultsIn(error, subject) : ''
}

describe('the messages for an invalid input', () => {
	test.each<[title: string, value: unknown, subject: Parameters<typeof faultsIn>[1], words: string]>([
		[
			'contain the path of each invalid field',
			{ nics: [{ mtu: 1 }, { mtu: 'x' }], name: 'a' },
			undefined,
			'nics[1].mtu: must be a whole number',
		],
		[
			'contain the path below the field that was parsed',
			{ nics: [{}], name: 'a' },
			{ field: 'spec' },
			'spec.nics[0].mtu: must be a whole number',
		],
		['are joined into one sentence', { nics: [{}] }, undefined, 'nics[0].mtu: must be a whole number; name: must be a text'],
		['name the whole input if it has the wrong type', 1, { whole: 'it' }, 'it: Invalid input: expected object, received number'],
	])('%s', (_, value, subject, words) => {
		expect(faultsOf(value, subject)).toBe(words)
	})

	test('are limited in number and length', () => {
		expect(faultsOf({ nics: Array(20).fill({}), name: 'a' })).toMatch(/nics\[7\]\.mtu: must be a whole number; and 12 more$/)
		expect(faultsOf({ nics: [], name: 'a', ['x'.repeat(10_000)]: 1 })).toHaveLength(200)
	})
})

test('an error in an environment variable contains its path in the same format', () => {
	const List = z
		.string()
		.transform(text => JSON.parse(text))
		.pipe(z.array(z.object({ key: z.string('must be a text') })))
	try {
		readEnv(z.object({ LIST: List }), { LIST: '[{}]' })
		expect.unreachable()
	} catch (error) {
		expect(isFailure(error) && error.message).toBe('LIST[0].key: must be a text')
	}
})

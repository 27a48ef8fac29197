import { expect, test } from 'vitest'
import * as z from 'zod'
import { ipJson, parsedOutput } from '../../../agent/ip/read-json.ts'
import { parseRules } from '../../../agent/ip/parse-rules.ts'
import { isFailure } from '../../../agent/model/failure.ts'

test.each<[title: string, read: () => unknown, command: string | undefined, words: string | RegExp]>([
	['names the field', () => parseRules([{ priority: 'x' }], 4), undefined, /^unexpected output of ip: \[0\]\.priority: [^\n{}]+$/],
	['names the command', () => z.array(z.object({})).parse(1), 'ip route get', /^unexpected output of ip route get: it: [^\n{}]+$/],
	['that is not JSON says so', () => ipJson('oops'), undefined, /^unexpected output of ip: .*JSON/],
	['says a few faults of many', () => parseRules(Array(50).fill({}), 4), undefined, /; and \d+ more$/],
])('output of ip with a fault: the message %s', (_, read, command, words) => {
	try {
		parsedOutput(read, command)
		expect.unreachable()
	} catch (error) {
		expect(isFailure(error, 'COMMAND_FAILED') && error.message).toMatch(words)
	}
})

test('output of ip without a fault is returned', () => {
	expect(parsedOutput(() => ipJson('[{"dst":"::10.0.0.1"}]'))).toEqual([{ dst: '::a00:1' }])
})

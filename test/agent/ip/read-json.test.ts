import { expect, test } from 'vitest'
import * as z from 'zod'
import { ipJson, parsedOutput } from '../../../agent/ip/read-json.ts'
import { parseRules } from '../../../agent/ip/parse-rules.ts'
import { isFailure } from '../../../agent/model/failure.ts'

test.each<[title: string, read: () => unknown, command: string | undefined, words: string | RegExp]>([
	['contains the field', () => parseRules([{ priority: 'x' }], 4), undefined, /^unexpected output of ip: \[0\]\.priority: [^\n{}]+$/],
	['contains the command', () => z.array(z.object({})).parse(1), 'ip route get', /^unexpected output of ip route get: it: [^\n{}]+$/],
	['states that the output is not JSON', () => ipJson('oops'), undefined, /^unexpected output of ip: .*JSON/],
	['contains a few of many errors', () => parseRules(Array(50).fill({}), 4), undefined, /; and \d+ more$/],
])('the message about unexpected output of ip %s', (_, read, command, words) => {
	try {
		parsedOutput(read, command)
		expect.unreachable()
	} catch (error) {
		expect(isFailure(error, 'COMMAND_FAILED') && error.message).toMatch(words)
	}
})

test('valid output of ip is returned', () => {
	expect(parsedOutput(() => ipJson('[{"dst":"::10.0.0.1"}]'))).toEqual([{ dst: '::a00:1' }])
})

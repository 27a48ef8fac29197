import { expect, test } from 'vitest'
import { codeOf, Failure, isFailure, wordsOf } from '../../runtime/errors.ts'
import { createLog, textLines } from '../../runtime/log.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown> {
	const lines: string[] = []
	write(createLog('test', { to: { write: text => void lines.push(text) } }))
	return JSON.parse(lines.join(''))
}

test('a line contains its level as a string, its time in ISO format, the room and the fields', () => {
	expect(logged(log => log.info({ node: 'worker-1' }, 'decided'))).toEqual({
		level: 'info',
		time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
		room: 'test',
		node: 'worker-1',
		msg: 'decided',
	})
})

test.each([
	['at the top level', { token: 'hunter2', password: 'hunter2', adminPw: 'hunter2' }],
	['one level down', { config: { secret: 'hunter2', authorization: 'Bearer hunter2' } }],
	['in headers', { request: { headers: { authorization: 'hunter2', 'x-auth-token': 'hunter2', 'X-Subject-Token': 'hunter2' } } }],
	['three levels down', { a: { b: { c: { password: 'hunter2', encryptionKey: 'hunter2' } } } }],
	['in a failure', { err: new Failure('X', 'words', { facts: { token: 'hunter2' } }) }],
])('a secret %s is not written', (_, fields) => {
	const line = JSON.stringify(logged(log => log.info(fields, 'x')))
	expect(line).not.toContain('hunter2')
	expect(line).toContain('[redacted]')
})

test('a Failure is logged without a stack trace, a bug with one', () => {
	const cause = new Error('connection refused')
	const failure = new Failure('VIOLA_AWAY', 'viola cannot be reached', { retry: true, facts: { url: 'http://v' }, cause })
	expect(logged(log => log.warn({ err: failure }, 'x')).err).toEqual({
		type: 'VIOLA_AWAY',
		message: 'viola cannot be reached: connection refused',
		retry: true,
		url: 'http://v',
	})
	expect(logged(log => log.error({ err: new TypeError('no') }, 'x')).err).toMatchObject({
		type: 'TypeError',
		message: 'no',
		stack: expect.any(String),
	})
})

test('a human-readable line has the time, the level, the message and the fields', () => {
	const lines: string[] = []
	const log = createLog('test', { to: textLines({ write: text => lines.push(text) }) })
	log.warn({ node: 'a', counts: [1, 2] }, 'decided')
	expect(lines.join('')).toMatch(/^\d\d:\d\d:\d\d warn {2}decided node=a counts=\[1,2\]\n$/)
})

test.each<[error: unknown, words: string]>([
	[new Error('a', { cause: new Error('b', { cause: new Error('c') }) }), 'a: b: c'],
	[new Error('a because of b', { cause: new Error('b') }), 'a because of b'],
	[Object.assign(new Error(''), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
	['just text', 'just text'],
	[undefined, 'undefined'],
])('the message for %o is %j', (error, words) => {
	expect(wordsOf(error)).toBe(words)
})

test('isFailure recognizes a Failure, also by its code', () => {
	const failure = new Failure('A', 'words')
	expect([isFailure(failure), isFailure(failure, 'B', 'A'), isFailure(failure, 'B'), isFailure(new Error('x'))]).toEqual([
		true,
		true,
		false,
		false,
	])
	expect([codeOf(failure), codeOf({ code: 7 }), codeOf(null)]).toEqual(['A', '', ''])
	expect(failure).toMatchObject({ name: 'Failure', retry: false, facts: {} })
})

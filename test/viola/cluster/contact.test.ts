import { expect, test } from 'vitest'
import { Failure } from '../../../runtime/errors.ts'
import { type Contact, createContact } from '../../../viola/cluster/contact.ts'

const lost =
	(code: string, facts: object = {}) =>
	(contact: Contact) =>
		contact.failed(new Failure(code, 'connect ECONNREFUSED', { facts: { ...facts } }))
const tried = (verb: string, code: string) => (contact: Contact) => contact.tried({ verb, code })

test.each<[sentence: string, steps: ((contact: Contact) => void)[], state: string]>([
	['nothing is known before the first request', [], 'unknown'],
	['any response shows that the cluster is up', [tried('list', '200')], 'up'],
	['a rejection is a response', [tried('list', '403')], 'up'],
	['a list without a response shows that it is down', [tried('list', '<error>')], 'down'],
	['so does a watch that cannot be opened', [tried('watch', '200'), tried('watch', '<error>')], 'down'],
	['a write without a response may have been canceled by its caller', [tried('list', '200'), tried('patch', '<error>')], 'up'],
	['a write that cannot connect shows that it is down', [tried('list', '200'), lost('UNREACHABLE')], 'down'],
	['a write that times out shows that it is down', [tried('list', '200'), lost('TIMED_OUT')], 'down'],
	['a response with status 504 is a response', [tried('list', '200'), lost('TIMED_OUT', { status: 504 })], 'up'],
	['a kept-alive connection that was closed does not change the state', [tried('list', '200'), lost('UNREACHABLE', { stale: true })], 'up'],
	['a canceled write does not change the state', [tried('list', '200'), lost('STOPPED')], 'up'],
	['the next response shows that it is up again', [lost('UNREACHABLE'), tried('get', '200')], 'up'],
])('%s', (_, steps, state) => {
	const contact = createContact(() => {})
	for (const step of steps) step(contact)
	expect(contact.state()).toBe(state)
})

test('a change of the state is reported once, with its cause', () => {
	const changes: string[] = []
	const contact = createContact((state, why) => changes.push(`${state}: ${why}`))
	for (const step of [tried('list', '200'), tried('watch', '200'), lost('UNREACHABLE'), lost('UNREACHABLE'), tried('get', '200')])
		step(contact)
	expect(changes).toEqual(['up: the API server answered the last list with 200', 'down: connect ECONNREFUSED', 'up: connect ECONNREFUSED'])
})

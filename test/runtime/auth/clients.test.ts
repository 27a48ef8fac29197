import { expect, test } from 'vitest'
import { parseClients } from '../../../runtime/auth/clients.ts'

const a = 'a'.repeat(64)
const b = 'b'.repeat(64)
const client = (name: string, sha256: string, more = 'may: read, providers: [biz]') => `- { name: ${name}, sha256: ${sha256}, ${more} }\n`

test('clients are read, and a digest may have upper-case letters', () => {
	expect(parseClients(client('grafana', a.toUpperCase()) + client('mgmt', b, 'may: write, providers: ["*"]'))).toEqual([
		{ name: 'grafana', sha256: a, may: 'read', providers: ['biz'] },
		{ name: 'mgmt', sha256: b, may: 'write', providers: ['*'] },
	])
	expect(parseClients('[]')).toEqual([])
})

test.each<[sentence: string, text: string, words: string[]]>([
	['that is empty', '', ['the file: Invalid input: expected array']],
	['that is not YAML', '- {', ['Flow map']],
	['that is a map', 'mgmt: {}', ['the file: Invalid input: expected array']],
	['with an unknown field', client('a', a, 'may: read, providers: [biz], role: x'), ['[0]: Unrecognized key: "role"']],
	['with another access', client('a', a, 'may: all, providers: [biz]'), ['[0].may: must be read, write, admin']],
	['with a token instead of its digest', client('a', 'my-token'), ['[0].sha256: must be the SHA-256 digest of the token']],
	['without providers', client('a', a, 'may: read, providers: []'), ['[0].providers: ']],
	['with the name of the client of the environment', client('default', a), ['[0].name: must not be "default"']],
	['with a name that breaks a log line', client('"a\\nb"', a), ['[0].name: must be 1 to 63 letters']],
	['with a name twice', client('x', a) + client('x', b), ['[1].name: must be unique, but [0] has the same value']],
	['with a digest twice', client('x', a) + client('y', a), ['[1].sha256: must be unique, but [0] has the same value']],
	[
		'with several faults',
		client('x', 'my-token') + client('x', b, 'may: all, providers: []'),
		['[0].sha256', '[1].may', '[1].providers', '[1].name'],
	],
	['that multiplies itself with aliases', `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]`, ['alias']],
	['that is nested too deeply', '['.repeat(20_000), ['call stack']],
])('a file %s is rejected with all its faults, and without a digest', (_, text, words) => {
	const read = () => parseClients(text)
	for (const word of words) expect(read).toThrow(word)
	expect(read).not.toThrow(/my-token|aaaa|bbbb/)
})

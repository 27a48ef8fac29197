import { describe, expect, test } from 'vitest'
import { type Flags, formatFor, parseFlags } from '../../agent/flags.ts'

describe('the command line', () => {
	test.each<[title: string, args: string[], flags: Flags]>([
		['without a flag', [], { help: false, logFormat: undefined }],
		['with a format', ['--json'], { help: false, logFormat: 'json' }],
		['with the same format twice', ['--human', '--human'], { help: false, logFormat: 'human' }],
		['with a format and --help', ['--human', '--help'], { help: true, logFormat: 'human' }],
	])('%s is accepted', (_, args, flags) => {
		expect(parseFlags(args)).toEqual(flags)
	})

	test.each<[title: string, args: string[], says: string]>([
		['with unknown flags', ['--dry', '--json', '-x'], '--dry -x: unknown flag; see --help'],
		['with an argument that is not a flag', ['constructor'], 'constructor: unknown flag; see --help'],
		['with a flag that is a property of every object', ['--toString'], '--toString: unknown flag; see --help'],
		['with a value', ['--json=yes', '--help='], '--json=yes --help=: unknown flag; see --help'],
		['with combined short flags', ['-hj'], '-hj: unknown flag; see --help'],
		['with a negated flag', ['--no-json'], '--no-json: unknown flag; see --help'],
		['with -- before a flag', ['--', '--json'], '-- --json: unknown flag; see --help'],
		['with an empty argument', ['', '--json'], ': unknown flag; see --help'],
		['with two formats', ['--json', '--human'], '--human and --json exclude each other'],
	])('%s is rejected', (_, args, says) => {
		expect(() => parseFlags(args)).toThrow(says)
	})
})

test.each<[args: string[], env: Record<string, string>, format: string]>([
	[[], {}, 'human'],
	[[], { LOG_FORMAT: 'json' }, 'json'],
	[[], { LOG_FORMAT: 'toString' }, 'human'],
	[['--dry', '--json'], { LOG_FORMAT: 'human' }, 'json'],
	[['--human', '--json'], {}, 'human'],
	[['--json', '--human'], {}, 'json'],
])('an error in the command line %j with environment %j is logged in format %s', (args, env, format) => {
	expect(formatFor(env, args)).toBe(format)
})

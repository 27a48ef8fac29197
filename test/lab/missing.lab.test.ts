import { execa } from 'execa'
import { expect, test } from 'vitest'

/** On a machine that cannot host the lab, the lab reports the reason before it creates anything. */

/** Another user that can still read all files, because a checkout may be in a directory that only root can read. */
const other = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
const nobody = process.getuid?.() === 0 ? ['setpriv', ...other, '--'] : []

test.each<[title: string, argv: string[], says: RegExp]>([
	['a user who is not root', [...nobody, process.execPath, 'lab/main.ts'], /missing: root.*\n {2}do this: run it as root/],
	[
		'a process that cannot create namespaces',
		['setpriv', '--bounding-set=-sys_admin', '--', process.execPath, 'lab/main.ts'],
		/missing: permission to create/,
	],
])('for %s, the lab exits with 2 and reports the missing requirement and the remedy', async (_, [file = '', ...args], says) => {
	const { exitCode, stderr, stdout } = await execa(file, args, { reject: false, env: { XDG_CACHE_HOME: '/nowhere' }, timeout: 120_000 })
	expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
	expect(stderr).toMatch(says)
})

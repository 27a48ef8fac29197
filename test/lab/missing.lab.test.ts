import { execa } from 'execa'
import { expect, test } from 'vitest'

/** A machine that cannot host the lab is told so before anything is made. */

/** Somebody else, who can read all the same: a checkout may lie where only root can. */
const other = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
const nobody = process.getuid?.() === 0 ? ['setpriv', ...other, '--'] : []

test.each<[title: string, argv: string[], says: RegExp]>([
	['a user who is not root', [...nobody, process.execPath, 'lab/main.ts'], /missing: root.*\n {2}do this: run it as root/],
	[
		'a place where no namespace can be made',
		['setpriv', '--bounding-set=-sys_admin', '--', process.execPath, 'lab/main.ts'],
		/missing: leave to make/,
	],
])('%s: exit code 2, the part and the remedy', async (_, [file = '', ...args], says) => {
	const { exitCode, stderr, stdout } = await execa(file, args, { reject: false, env: { XDG_CACHE_HOME: '/nowhere' }, timeout: 120_000 })
	expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
	expect(stderr).toMatch(says)
})

import { execa } from 'execa'
import { expect, test } from 'vitest'
import { bar } from './scope.ts'

test(`at least ${bar * 100} % of the mutants are killed`, async () => {
	const { exitCode, stdout } = await execa('node', ['test/mutation/run.ts'], {
		stdout: ['pipe', 'inherit'],
		stderr: 'inherit',
		reject: false,
	})
	const said = stdout.split('\n').filter(line => line.startsWith('mutation: '))
	expect(exitCode, said.slice(-1)[0] ?? stdout.slice(-2_000)).toBe(0)
})

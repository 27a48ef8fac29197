import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'

/** Tests the program as a process that cannot write its output. */
test('full standard output is reported in one sentence', () => {
	const { status, stderr } = program('--help', ['ignore', full(), 'pipe'])
	const words = 'error: standard output cannot be written: ENOSPC: no space left on device, write\n'
	expect({ status, stderr }).toEqual({ status: 1, stderr: words })
})

test('full standard error makes the program exit with 1', () => {
	expect(program('nonsense', ['ignore', 'pipe', full()]).status).toBe(1)
})

function program(line: string, stdio: ('ignore' | 'pipe' | number)[]) {
	return spawnSync(process.execPath, ['cli/main.ts', line], { stdio, encoding: 'utf8' })
}

function full(): number {
	const file = openSync('/dev/full', 'w')
	onTestFinished(() => closeSync(file))
	return file
}

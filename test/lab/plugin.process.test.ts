import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { writePlugin } from '../../lab/plugin.ts'

test('kubectl multinic of a lab runs with any Node.js on PATH, and without one', async () => {
	const folder = mkdtempSync(join(tmpdir(), "multinic's plugin-"))
	onTestFinished(() => rmSync(folder, { recursive: true }))
	const bin = join(folder, 'bin')
	await writePlugin(bin)
	const { stdout } = await execa(join(bin, 'kubectl-multinic'), ['get', '--help'], { env: { PATH: '/nowhere' }, extendEnv: false })
	expect(stdout).toContain('Usage: kubectl multinic get')
})

import { existsSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { prepareLab } from '../../lab/setup/prepare.ts'
import { family, processes } from './processes.ts'
import { left, startLab } from './running-lab.ts'

/** A lab with a running demo also has mgmt, viola, a simulated OpenStack and a directory. */

beforeAll(() => prepareLab(1))

test.each<[how: string, words: string, end: (lab: { npm: number }) => void]>([
	['Ctrl-C in its terminal after the demo', 'Ctrl-C stops and removes everything', ({ npm }) => process.kill(-npm, 'SIGINT')],
	['SIGKILL to npm during the demo', 'in OpenStack', ({ npm }) => process.kill(npm, 'SIGKILL')],
])('%s ends mgmt, viola and all other processes, and removes the directory', async (_, words, end) => {
	const lab = await startLab()
	await lab.told(words)
	const members = family(lab.npm).map(({ pid }) => pid)
	end(lab)
	await expect.poll(() => left(lab), { timeout: 5_000, interval: 100 }).toEqual({ processes: [], mounts: [] })
	await expect.poll(() => processes().filter(({ pid }) => members.includes(pid)), { timeout: 5_000 }).toEqual([])
	expect(existsSync(lab.dir)).toBe(false)
})

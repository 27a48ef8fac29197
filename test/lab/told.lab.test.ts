import { existsSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { prepareLab } from '../../lab/setup/prepare.ts'
import { family, processes } from './processes.ts'
import { left, startLab } from './running-lab.ts'

/** A lab that runs its demo has more to end: mgmt, viola, an OpenStack and a folder. */

beforeAll(() => prepareLab(1))

test.each<[how: string, words: string, end: (lab: { npm: number }) => void]>([
	['Ctrl-C in its terminal, when all is told,', 'Ctrl-C stops and removes everything', ({ npm }) => process.kill(-npm, 'SIGINT')],
	['SIGKILL to npm, in the middle,', 'in OpenStack', ({ npm }) => process.kill(npm, 'SIGKILL')],
])('%s ends mgmt, viola and everything else, and removes the folder', async (_, words, end) => {
	const lab = await startLab()
	await lab.told(words)
	const members = family(lab.npm).map(({ pid }) => pid)
	end(lab)
	await expect.poll(() => left(lab), { timeout: 5_000, interval: 100 }).toEqual({ processes: [], mounts: [] })
	await expect.poll(() => processes().filter(({ pid }) => members.includes(pid)), { timeout: 5_000 }).toEqual([])
	expect(existsSync(lab.dir)).toBe(false)
})

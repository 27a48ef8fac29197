import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { prepareLab } from '../../lab/prepare.ts'
import { left, startLab } from './running-lab.ts'

/** Whatever ends a lab, nothing of it is left. */

const targets = ['npm', 'main', 'unshare', 'inside'] as const

beforeAll(() => prepareLab(1))

describe.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('%s', signal => {
	test.each(targets)('to %s ends the whole lab', async target => {
		const lab = await startLab()
		const pid = target === 'inside' ? lab.inside.pid : lab[target]
		process.kill(pid, signal)
		await expect.poll(() => left(lab), { interval: 100 }).toEqual({ processes: [], mounts: [] })
	})
})

test('what a killed lab left in its folder is removed by the next', async () => {
	const first = await startLab()
	process.kill(first.main, 'SIGKILL')
	await expect.poll(() => left(first).processes).toEqual([])
	expect(existsSync(first.dir)).toBe(true)
	const second = await startLab()
	expect(existsSync(first.dir)).toBe(false)
	process.kill(second.main, 'SIGTERM')
	await expect.poll(() => left(second).processes).toEqual([])
	expect(existsSync(second.dir)).toBe(false)
})

import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { prepareLab } from '../../lab/setup/prepare.ts'
import { left, startLab } from './running-lab.ts'

/** Whatever ends a lab, nothing of it is left five seconds later. That time is promised; it is not a timeout of the test. */

const promised = { timeout: 5_000, interval: 100 }

const targets = ['npm', 'main', 'unshare', 'inside'] as const

beforeAll(() => prepareLab(1))

describe.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('%s', signal => {
	test.each(targets)('to %s ends the whole lab', async target => {
		const lab = await startLab()
		const pid = target === 'inside' ? lab.inside.pid : lab[target]
		process.kill(pid, signal)
		await expect.poll(() => left(lab), promised).toEqual({ processes: [], mounts: [] })
	})
})

test('the next lab removes the folder that a killed lab left', async () => {
	const first = await startLab()
	process.kill(first.main, 'SIGKILL')
	await expect.poll(() => left(first).processes, promised).toEqual([])
	expect(existsSync(first.dir)).toBe(true)
	const second = await startLab()
	expect(existsSync(first.dir)).toBe(false)
	process.kill(second.main, 'SIGTERM')
	await expect.poll(() => left(second).processes, promised).toEqual([])
	expect(existsSync(second.dir)).toBe(false)
})

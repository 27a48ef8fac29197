import { existsSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { prepareLab } from '../../lab/setup/prepare.ts'
import { left, startLab } from './running-lab.ts'

/** Nothing remains of a lab five seconds after its end, for any cause. This time is a guarantee and not a timeout of the test. */

const promised = { timeout: 5_000, interval: 100 }

const targets = ['npm', 'main', 'unshare', 'inside'] as const

beforeAll(() => prepareLab(1))

describe.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('%s', signal => {
	test.each(targets)('sent to %s ends the whole lab', async target => {
		const lab = await startLab()
		const pid = target === 'inside' ? lab.inside.pid : lab[target]
		process.kill(pid, signal)
		await expect.poll(() => left(lab), promised).toEqual({ processes: [], mounts: [] })
	})
})

test('the next lab removes the directory of a killed lab', async () => {
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

import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { prepareLab } from '../../lab/prepare.ts'
import { family, type Process, processes } from './processes.ts'

/** Whatever ends a lab, five seconds later nothing of it is left. */

interface Running {
	npm: number
	/** The process that `npm start` runs. */
	main: number
	unshare: number
	/** The lab's main process, in its namespaces. */
	inside: Process
	dir: string
	/** Resolves when it has said that; throws what it said instead when it ends without. */
	told(words: string): Promise<void>
}

const targets = ['npm', 'main', 'unshare', 'inside'] as const

const started: number[] = []

beforeAll(() => prepareLab(1))

afterEach(() => {
	for (const { pid } of started.splice(0).flatMap(family)) process.kill(pid, 'SIGKILL')
})

describe.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('%s', signal => {
	test.each(targets)('to %s ends the whole lab', async target => {
		const lab = await startLab()
		const pid = target === 'inside' ? lab.inside.pid : lab[target]
		process.kill(pid, signal)
		await expect.poll(() => left(lab), { timeout: 5000, interval: 100 }).toEqual({ processes: [], mounts: [] })
	})
})

test.each<[how: string, end: (lab: { npm: number }) => void]>([
	['Ctrl-C in its terminal', ({ npm }) => process.kill(-npm, 'SIGINT')],
	['SIGKILL to npm', ({ npm }) => process.kill(npm, 'SIGKILL')],
])('%s ends a lab whose story is told, with mgmt, viola and its folder', async (_, end) => {
	const lab = await startLab()
	await lab.told('Ctrl-C ends all of it')
	const members = family(lab.npm).map(({ pid }) => pid)
	end(lab)
	await expect.poll(() => left(lab), { timeout: 5000, interval: 100 }).toEqual({ processes: [], mounts: [] })
	await expect.poll(() => processes().filter(({ pid }) => members.includes(pid)), { timeout: 5000 }).toEqual([])
	expect(existsSync(lab.dir)).toBe(false)
})

test('what a killed lab left in its folder is removed by the next', async () => {
	const first = await startLab()
	process.kill(first.main, 'SIGKILL')
	await expect.poll(() => left(first).processes, { timeout: 5000 }).toEqual([])
	expect(existsSync(first.dir)).toBe(true)
	const second = await startLab()
	expect(existsSync(first.dir)).toBe(false)
	process.kill(second.main, 'SIGTERM')
	await expect.poll(() => left(second).processes, { timeout: 5000 }).toEqual([])
	expect(existsSync(second.dir)).toBe(false)
})

/** `npm start`, as far as a node whose kernel runs with its tap plugged in. */
async function startLab(): Promise<Running> {
	const child = spawn('npm', ['start', '--', '--nodes', '1'], { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
	started.push(child.pid ?? 0)
	let said = ''
	child.stderr.setEncoding('utf8').on('data', text => {
		said += text
	})
	const told = async (words: string) => {
		while (!said.includes(words)) {
			if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}: ${said.slice(-2000)}`)
			await sleep(100)
		}
	}
	for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(200)) {
		const members = family(child.pid ?? 0)
		const has = (word: string) => members.find(({ argv }) => argv.some(arg => arg.endsWith(word)))
		const [main, inside, kernel] = [has('lab/main.ts'), insideOf(members), has('root=/dev/ubda')]
		const unshare = members.find(({ argv }) => argv[0] === 'unshare' && argv.some(arg => arg.endsWith('inside.ts')))
		if (!main || !unshare || !inside || !kernel) continue
		const dir = dirname(join(kernel.argv.find(arg => arg.startsWith('uml_dir='))?.slice('uml_dir='.length) ?? ''))
		return { npm: child.pid ?? 0, main: main.pid, unshare: unshare.pid, inside, dir, told }
	}
	throw new Error('npm start did not come as far as a running kernel')
}

function insideOf(members: Process[]): Process | undefined {
	const own = readlinkSync('/proc/self/ns/net')
	return members.find(
		({ argv, namespaces }) => argv.some(arg => arg.endsWith('inside.ts')) && !namespaces.includes(own) && argv[0] !== 'unshare',
	)
}

/** What is in the lab's namespaces or names its folder: its taps live and go with the network namespace. */
function left({ inside, dir }: Running): { processes: string[]; mounts: string[] } {
	const own = ['net', 'mnt', 'pid'].map(kind => readlinkSync(`/proc/self/ns/${kind}`))
	const theirs = inside.namespaces.filter(space => !own.includes(space))
	expect(theirs).toHaveLength(3)
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
	return {
		processes: processes()
			.filter(({ argv, namespaces }) => namespaces.some(space => theirs.includes(space)) || argv.some(arg => arg.includes(dir)))
			.map(({ argv }) => argv.join(' ').slice(0, 80)),
		mounts: mounts.filter(line => line.includes(dir) || theirs.some(space => line.includes(space))),
	}
}

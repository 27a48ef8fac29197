import { spawn } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { family, type Process, processes } from './processes.ts'
import { codeOf } from '../../runtime/errors.ts'

/** A lab started with `npm start`. */
export interface Running {
	npm: number
	/** The process that `npm start` runs. */
	main: number
	unshare: number
	/** The lab's main process, in its namespaces. */
	inside: Process
	dir: string
	/** Resolves when the lab has printed this text; throws its output if it ends without it. */
	told(words: string): Promise<void>
}

/** Runs `npm start` until the kernel of a node runs with its tap plugged in. Kills its remaining processes when the test ends. */
export async function startLab(): Promise<Running> {
	const child = spawn('npm', ['start', '--', '--nodes', '1'], { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
	onTestFinished(() => {
		for (const { pid } of family(child.pid ?? 0)) killed(pid)
	})
	let said = ''
	child.stderr.setEncoding('utf8').on('data', text => {
		said += text
	})
	const mustRun = () => {
		if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}: ${said.slice(-2000)}`)
	}
	const told = async (words: string) => {
		for (; !said.includes(words); await sleep(100)) mustRun()
	}
	for (const deadline = Date.now() + 240_000; Date.now() < deadline; await sleep(200)) {
		mustRun()
		const members = family(child.pid ?? 0)
		const has = (word: string) => members.find(({ argv }) => argv.some(arg => arg.endsWith(word)))
		const [main, inside, kernel] = [has('lab/main.ts'), insideOf(members), has('root=/dev/ubda')]
		const unshare = members.find(({ argv }) => argv[0] === 'unshare' && argv.some(arg => arg.endsWith('main-process.ts')))
		if (!main || !unshare || !inside || !kernel) continue
		const dir = dirname(join(kernel.argv.find(arg => arg.startsWith('uml_dir='))?.slice('uml_dir='.length) ?? ''))
		return { npm: child.pid ?? 0, main: main.pid, unshare: unshare.pid, inside, dir, told }
	}
	const members = family(child.pid ?? 0).map(({ argv }) => argv.join(' ').slice(0, 120))
	throw new Error(`npm start did not start a kernel.\nIts output: ${said}\nIts processes:\n${members.join('\n')}`)
}

function insideOf(members: Process[]): Process | undefined {
	const own = readlinkSync('/proc/self/ns/net')
	return members.find(
		({ argv, namespaces }) => argv.some(arg => arg.endsWith('main-process.ts')) && !namespaces.includes(own) && argv[0] !== 'unshare',
	)
}

/**
 * Returns the processes and mounts in the lab's namespaces, or with its directory in their arguments. Its taps exist only as long as the
 * network namespace.
 */
export function left({ inside, dir }: Running): { processes: string[]; mounts: string[] } {
	const own = ['net', 'mnt', 'pid'].map(kind => readlinkSync(`/proc/self/ns/${kind}`))
	const theirs = inside.namespaces.filter(space => !own.includes(space))
	if (theirs.length !== 3) throw new Error(`the lab has these namespaces: ${theirs.join(', ') || 'none'}; expected three`)
	const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
	return {
		processes: processes()
			.filter(({ argv, namespaces }) => namespaces.some(space => theirs.includes(space)) || argv.some(arg => arg.includes(dir)))
			.map(({ argv }) => argv.join(' ').slice(0, 80)),
		mounts: mounts.filter(line => line.includes(dir) || theirs.some(space => line.includes(space))),
	}
}

/** Ignores a process that has already ended. */
function killed(pid: number): void {
	try {
		process.kill(pid, 'SIGKILL')
	} catch (error) {
		if (codeOf(error) !== 'ESRCH') throw error
	}
}

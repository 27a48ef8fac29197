import { execFile } from 'node:child_process'
import { failure } from '../model/failure.ts'

export type ProgramOutput = { code: number; stdout: string; stderr: string }

/**
 * Runs one program without a shell, with `args` unchanged and `input` as its standard input.
 *
 * @returns its output and exit status, whether or not the status is 0
 * @throws Failure COMMAND_FAILED when it cannot be started, is killed by a signal or takes longer than `timeoutMs` (milliseconds)
 */
export function exec(program: string, args: readonly string[], input = '', timeoutMs = 20_000): Promise<ProgramOutput> {
	return new Promise((resolve, reject) => {
		const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 * 1024, env: { PATH, LC_ALL: 'C' } } as const
		const child = execFile(program, [...args], options, (error, stdout, stderr) => {
			if (!error) resolve({ code: 0, stdout, stderr })
			else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
			else reject(failure('COMMAND_FAILED', `${program} ${args.join(' ')} ${whatHappened(error, timeoutMs)}`, { cause: error }))
		})
		child.stdin?.on('error', () => {}) // The program exited before reading its input; its exit status shows why.
		child.stdin?.end(input)
	})
}

/** Runs a program of the host as `exec` does, with the host's root as its root. @param root where the host's `/` is mounted */
export function execOnHost(root: string, program: string, args: readonly string[]): Promise<ProgramOutput> {
	return exec('chroot', [root, program, ...args])
}

/** Runs a program of the host as `execOnHost` does. @throws Failure COMMAND_FAILED also when its exit status is not 0 */
export async function runOnHost(root: string, program: string, args: readonly string[]): Promise<void> {
	const { code, stderr } = await execOnHost(root, program, args)
	if (code !== 0) throw failure('COMMAND_FAILED', stderr.trim() || `exit status ${code}`)
}

/** Programs may be in different directories in the agent's image and on the host; this PATH covers both. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function whatHappened(error: { code?: unknown; killed?: boolean; signal?: unknown }, timeoutMs: number): string {
	if (error.killed) return `took longer than ${timeoutMs} ms`
	if (error.signal) return `was killed by ${String(error.signal)}`
	return error.code === 'ENOENT' ? 'is not installed' : `could not run (${String(error.code)})`
}

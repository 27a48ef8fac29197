import { execFile } from 'node:child_process'
import { failure } from '../model/failure.ts'

export type ProgramOutput = { code: number; stdout: string; stderr: string }

/**
 * Runs one program without a shell. It gets `args` unchanged and `input` as its standard input.
 *
 * @returns its output and exit status, whatever that is
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
		child.stdin?.on('error', () => {}) // The program ended before it read its input; the exit status says the rest.
		child.stdin?.end(input)
	})
}

/** Runs a program of the host on the host's files, as `exec` does. @param root where the host's `/` is mounted */
export function execOnHost(root: string, program: string, args: readonly string[]): Promise<ProgramOutput> {
	return exec('chroot', [root, program, ...args])
}

/** Runs a program of the host as `execOnHost` does. @throws Failure COMMAND_FAILED also when it fails */
export async function runOnHost(root: string, program: string, args: readonly string[]): Promise<void> {
	const { code, stderr } = await execOnHost(root, program, args)
	if (code !== 0) throw failure('COMMAND_FAILED', stderr.trim() || `exit status ${code}`)
}

/** The agent's image and the host may have programs in different folders; both have these. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function whatHappened(error: { code?: unknown; killed?: boolean; signal?: unknown }, timeoutMs: number): string {
	if (error.killed) return `took longer than ${timeoutMs} ms`
	if (error.signal) return `was killed by ${String(error.signal)}`
	return error.code === 'ENOENT' ? 'is not there' : `could not run (${String(error.code)})`
}

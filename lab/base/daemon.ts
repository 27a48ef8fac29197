import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A long-running process of the lab. */
export interface Daemon {
	readonly name: string
	readonly pid: number
	/** Resolves when the process has ended, with a sentence that reports this and quotes the end of its log. Never rejects. */
	readonly ended: Promise<string>
	/** Sends SIGTERM, and SIGKILL after `graceMs` (default 2 s: an API server with open watches exits slowly). */
	stop(graceMs?: number): Promise<void>
}

/** A command to run, and the log file for its stdout and stderr. */
export interface Command {
	name: string
	argv: readonly [string, ...string[]]
	logFile: string
	env?: Record<string, string>
}

/** Starts a process that the kernel kills when the current process exits for any reason. */
export function startDaemon({ name, argv, logFile, env }: Command): Daemon {
	const log = openSync(logFile, 'a')
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
		stdio: ['ignore', log, log],
		detached: true, // Ctrl-C in the terminal must reach only the lab, which then stops its processes in order
		env: { ...process.env, ...env },
	})
	closeSync(log)
	let hasEnded = false
	const ended = exitOf(child).then(async how => {
		hasEnded = true
		return `${name} ended (${how}). ${await logTail(logFile)}`
	})
	const stop = async (graceMs = 2000) => {
		if (hasEnded) return
		child.kill('SIGTERM')
		const late = setTimeout(() => child.kill('SIGKILL'), graceMs)
		await ended
		clearTimeout(late)
	}
	return { name, pid: child.pid ?? 0, ended, stop }
}

/**
 * Calls `condition` every `everyMs` until it returns true. Throws if one of the processes in `ended` ends first, with the end of its log,
 * or after `withinMs`, with `what` in the message.
 */
export async function until(
	what: string,
	condition: () => Promise<boolean>,
	{ ended = [], everyMs = 100, withinMs = 180_000 }: { ended?: readonly Promise<string>[]; everyMs?: number; withinMs?: number } = {},
): Promise<void> {
	let endMessage: string | undefined
	for (const end of ended) {
		void end.then(words => {
			endMessage ??= words
		})
	}
	const deadline = Date.now() + withinMs
	while (!(await condition())) {
		if (endMessage) throw new Error(endMessage)
		if (Date.now() > deadline) throw new Error(`timed out after ${withinMs / 1000} s: ${what}`)
		await sleep(everyMs)
	}
}

/** Resolves when the process has exited, or could not be started, with the reason. */
function exitOf(child: ChildProcess): Promise<string> {
	const { promise, resolve } = Promise.withResolvers<string>()
	child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
	child.once('error', error => resolve(error.message))
	return promise
}

async function logTail(logFile: string): Promise<string> {
	const lines = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n')
	return `The end of ${logFile}:\n${lines.slice(-6).join('\n')}`
}

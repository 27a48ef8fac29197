import * as z from 'zod'
import { sleep } from './clock.ts'
import { readEnv } from './env.ts'
import { isFailure } from './errors.ts'
import { createLog, type Log, logLevels, textLines } from './log.ts'

/** What a process is handed by the one that started it. */
export type Context = {
	/** Aborted by SIGTERM or SIGINT: stop taking work, end what runs, return. */
	signal: AbortSignal
	log: Log
	env: Readonly<Record<string, string | undefined>>
}

/** How long a process may take to stop, in milliseconds, before it is ended from inside. */
const stopMs = 30_000

/**
 * Runs a room as a process: signals become one AbortSignal, and every way it can end becomes an exit code.
 *
 * 0 it returned · 1 it threw, or left a rejection unhandled, or did not stop in 30 s · 2 its configuration is wrong.
 */
export async function runProcess(room: string, main: (context: Context) => Promise<void>): Promise<never> {
	const stop = new AbortController()
	let log = createLog(room)
	try {
		log = logFrom(room, process.env)
		for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopNow(name, stop, log))
		process.on('unhandledRejection', error => bug(error, log))
		process.on('uncaughtException', error => bug(error, log))
		await main({ signal: stop.signal, log, env: process.env })
		log.info('stopped')
		process.exit(0)
	} catch (error) {
		process.exit(exitCode(error, stop.signal, log))
	}
}

const LogEnv = z.object({
	LOG_LEVEL: z.enum(logLevels).default('info').describe('How much is written'),
	LOG_FORMAT: z.enum(['json', 'text']).default('json').describe('json for machines, text for people'),
})

function logFrom(room: string, env: Context['env']): Log {
	const { LOG_LEVEL, LOG_FORMAT } = readEnv(LogEnv, env)
	return createLog(room, { level: LOG_LEVEL, ...(LOG_FORMAT === 'text' && { to: textLines(process.stdout) }) })
}

function stopNow(name: string, stop: AbortController, log: Log): void {
	log.info({ signal: name, withinSeconds: stopMs / 1_000 }, 'stopping')
	stop.abort(new Error(`${name} received`))
	void sleep(stopMs).then(() => {
		log.error({ afterSeconds: stopMs / 1_000 }, 'did not stop in time')
		process.exit(1)
	})
}

function bug(error: unknown, log: Log): never {
	log.fatal({ err: error }, 'bug: an error nobody handled')
	process.exit(1)
}

function exitCode(error: unknown, signal: AbortSignal, log: Log): number {
	if (isFailure(error, 'CONFIG_INVALID')) {
		log.fatal({ err: error }, 'configuration is wrong')
		return 2
	}
	log.fatal({ err: error, stopping: signal.aborted }, 'ended by an error')
	return 1
}

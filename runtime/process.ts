import * as z from 'zod'
import { sleep } from './clock.ts'
import { readEnv } from './env.ts'
import { Failure, isFailure, wordsOf } from './errors.ts'
import { createLog, type Log, logLevels, textLines } from './log.ts'

/** The argument that `runProcess` passes to `main`. */
export type Context = {
	/** Aborted by SIGTERM or SIGINT. `main` must then accept no new work, finish the work in progress, and return. */
	signal: AbortSignal
	log: Log
	env: Readonly<Record<string, string | undefined>>
}

type Env = Context['env']

/** Functions that read the configuration. They run before `main`, which receives each result under the name of its reader. */
type Readers = Readonly<Record<string, (env: Env) => unknown>>

/** The results of the readers. */
export type Read<R extends Readers> = { [Name in keyof R]: Awaited<ReturnType<R[Name]>> }

/** How long a process may take to stop before it is forced to exit, in milliseconds. */
const stopMs = 30_000

/**
 * Runs a room as a process: SIGTERM and SIGINT abort one AbortSignal, and every outcome has an exit code. All readers run first, including
 * the one for the log, so that all configuration errors are reported together.
 *
 * Exit code 0: `main` returned · 1: `main` threw, a rejection was unhandled, or `main` did not stop in time · 2: invalid configuration.
 */
export async function runProcess<R extends Readers>(
	room: string,
	readers: R,
	main: (context: Context & Read<R>) => Promise<void>,
): Promise<never> {
	const stop = new AbortController()
	let log = createLog(room)
	try {
		for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopNow(name, stop, log))
		process.on('unhandledRejection', error => bug(error, log))
		process.on('uncaughtException', error => bug(error, log))
		const read = await readAll({ ...readers, log: env => logFrom(room, env) }, process.env)
		log = read.log
		await main({ ...(read as Read<R>), signal: stop.signal, log, env: process.env })
		log.info('stopped')
		process.exit(0)
	} catch (error) {
		process.exit(exitCode(error, stop.signal, log))
	}
}

/** @throws Failure CONFIG_INVALID with the faults of all readers, one per line */
async function readAll<R extends Readers>(readers: R, env: Env): Promise<Read<R>> {
	const outcomes = await Promise.allSettled(Object.values(readers).map(async read => read(env)))
	const reasons = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
	const faults = reasons.map(reason => {
		if (isFailure(reason, 'CONFIG_INVALID')) return wordsOf(reason).split('\n')
		throw reason
	})
	if (faults.length > 0) throw new Failure('CONFIG_INVALID', faults.flat().join('\n'), { facts: { faults: faults.flat() } })
	const values = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : undefined))
	return Object.fromEntries(Object.keys(readers).map((name, index) => [name, values[index]])) as Read<R>
}

/** Variables of every process. */
export const LogEnv = z.object({
	LOG_LEVEL: z.enum(logLevels).default('info').describe('Log level'),
	LOG_FORMAT: z.enum(['json', 'text']).default('json').describe('Log format'),
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
	log.fatal({ err: error }, 'unhandled error')
	process.exit(1)
}

function exitCode(error: unknown, signal: AbortSignal, log: Log): number {
	if (isFailure(error, 'CONFIG_INVALID')) {
		log.fatal({ err: error }, 'invalid configuration')
		return 2
	}
	log.fatal({ err: error, stopping: signal.aborted }, 'exiting on error')
	return 1
}

import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import { Failure, wordsOf } from './errors.ts'

export type Log = Logger

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export type LogOptions = {
	/** Default: info. */
	level?: LogLevel
	/** Where lines go. Default: standard output. */
	to?: DestinationStream
}

const secretNames = [
	'token',
	'password',
	'passwd',
	'adminPw',
	'secret',
	'secretKey',
	'apiKey',
	'credentials',
	'privateKey',
	'encryptionKey',
	'authorization',
	'Authorization',
	'cookie',
	'"x-auth-token"',
	'"X-Auth-Token"',
	'"X-Subject-Token"',
	'"x-subject-token"',
]

/** Where a secret could stand: at the top of a line's fields and up to three levels below. */
const paths = secretNames.flatMap(name => {
	const step = name.startsWith('"') ? `[${name}]` : `.${name}`
	return [name.startsWith('"') ? step : name, `*${step}`, `*.*${step}`, `*.*.*${step}`]
})

/**
 * A logger that writes one JSON object a line: `level` as text, `time` in ISO form, `room`, then the fields, then `msg`.
 *
 * The message is constant and the fields vary: `log.info({ node, generation }, 'decided')`. Errors go under `err`.
 */
export function createLog(room: string, options: LogOptions = {}): Log {
	const settings = {
		level: options.level ?? 'info',
		base: { room },
		timestamp: stdTimeFunctions.isoTime,
		formatters: { level: (label: string) => ({ level: label }) },
		serializers: { err: describeError },
		redact: { paths, censor: '[redacted]' },
	}
	// pino's own stream has let a later line overtake an earlier one on a pipe; Node writes to pipes and files in order, before an exit.
	return pino(settings, options.to ?? process.stdout)
}

/** Turns the lines of `createLog` into ones for people: `14:03:22 info  decided act=start`. */
export function textLines(out: { write(text: string): unknown }): DestinationStream {
	return {
		write(line) {
			const { level, time, msg, room: _, ...fields } = JSON.parse(line) as Record<string, unknown>
			const rest = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
			out.write(`${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${[msg, ...rest].filter(part => part !== undefined).join(' ')}\n`)
		},
	}
}

/** An error as log fields. An expected failure needs no stack: its words are enough. */
export function describeError(error: unknown): Readonly<Record<string, unknown>> {
	if (error instanceof Failure) return { type: error.code, message: wordsOf(error), retry: error.retry, ...error.facts }
	if (error instanceof Error) return { type: error.name, message: wordsOf(error), stack: error.stack }
	return { type: typeof error, message: String(error) }
}

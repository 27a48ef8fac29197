import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import { Failure, wordsOf } from './errors.ts'

export type Log = Logger

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export type LogOptions = {
	/** Default: info. */
	level?: LogLevel
	/** Destination of the lines. Default: standard output. */
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

/** Paths where a secret may occur: the top-level fields of a log line, and fields up to three levels below them. */
const paths = secretNames.flatMap(name => {
	const step = name.startsWith('"') ? `[${name}]` : `.${name}`
	return [name.startsWith('"') ? step : name, `*${step}`, `*.*${step}`, `*.*.*${step}`]
})

/**
 * Creates a logger that writes one JSON object per line: `level` as text, `time` in ISO 8601 format, `room`, then the fields, then `msg`.
 *
 * The message is constant and the fields vary: `log.info({ node, generation }, 'decided')`. Errors go in the field `err`.
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
	// pino's own stream reordered lines on a pipe; process.stdout writes to pipes and files in order, and finishes before the process exits
	return pino(settings, options.to ?? process.stdout)
}

/** Converts lines of `createLog` to human-readable text: `14:03:22 info  decided act=start`. */
export function textLines(out: { write(text: string): unknown }): DestinationStream {
	return {
		write(line) {
			const { level, time, msg, room: _, ...fields } = JSON.parse(line) as Record<string, unknown>
			const rest = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
			out.write(`${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${[msg, ...rest].filter(part => part !== undefined).join(' ')}\n`)
		},
	}
}

/** Converts an error to log fields. An expected failure is logged without a stack trace, because its message is enough. */
export function describeError(error: unknown): Readonly<Record<string, unknown>> {
	if (error instanceof Failure) return { type: error.code, message: wordsOf(error), retry: error.retry, ...error.facts }
	if (error instanceof Error) return { type: error.name, message: wordsOf(error), stack: error.stack }
	return { type: typeof error, message: String(error) }
}

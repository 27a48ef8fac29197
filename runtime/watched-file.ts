import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import * as z from 'zod'
import { type SetTimer, systemTimer } from './clock.ts'
import { wordsOf } from './errors.ts'
import type { Log } from './log.ts'

/** Files that form one configuration, how to parse their texts, and the version that was valid at start. */
export type FileSource<T> = {
	readonly paths: readonly string[]
	/**
	 * Must depend only on the texts, because it is called again only when a text has changed.
	 *
	 * @throws Error whose message lists all faults, and contains no secret
	 */
	readonly parse: (...texts: readonly string[]) => T
	readonly first: T
	readonly digest: string
}

/** Maximum size of a file (bytes), which is also the maximum size of a Secret or a ConfigMap. */
const SIZE_MAX = 1 << 20

/**
 * Reads the files for the first time.
 *
 * @param paths are passed to `parse` as texts, in the same order
 * @throws Error that names the file, and lists all faults that `parse` reports
 */
export function readSource<T>(paths: readonly string[], parse: FileSource<T>['parse']): FileSource<T> {
	const texts = paths.map(readText)
	return { paths, parse, first: parsed(paths, parse, texts), digest: digestOf(texts) }
}

/** An environment variable with the path of a file that is watched later. */
export function filePath<T>(parse: (text: string) => T): z.ZodType<FileSource<T>, string> {
	return z.string().transform((path, context) => sourceIn(context, [path], text => parse(text ?? '')))
}

/** Reads the files that a variable names, and reports their faults as faults of the variable. */
export function sourceIn<T>(context: z.RefinementCtx, paths: readonly string[], parse: FileSource<T>['parse']): FileSource<T> {
	try {
		return readSource(paths, parse)
	} catch (error) {
		context.addIssue({ code: 'custom', message: wordsOf(error) })
		return z.NEVER
	}
}

export type WatchOptions<T> = {
	log: Log
	/** Ends the watch. */
	signal: AbortSignal
	/** Called with each later version that is valid. */
	onChange?: (value: T) => void
	/** Default: 5 000. */
	everyMs?: number
	setTimer?: SetTimer
}

/** How often a file that stays invalid is logged (milliseconds). */
const WARN_EVERY_MS = 60_000

/**
 * Reads the files at an interval, because the kubelet replaces a mounted Secret through a symbolic link, which a watch of the file itself
 * does not report. A file that cannot be read or is invalid leaves the last valid version in use, with one warning per minute.
 *
 * @returns a function that returns the last valid version
 */
export function watchFiles<T>(source: FileSource<T>, options: WatchOptions<T>): () => T {
	const { log, signal, onChange = () => {}, everyMs = 5_000, setTimer = systemTimer } = options
	const { paths } = source
	const look = reader(source)
	let value = source.first
	let quietMs = 0
	const poll = () => {
		const seen = look()
		quietMs = 'fault' in seen ? Math.max(0, quietMs - everyMs) : 0
		if ('fault' in seen && quietMs === 0) {
			log.warn({ paths, fault: seen.fault }, 'a file is invalid, its last valid version stays in use')
			quietMs = WARN_EVERY_MS
		}
		if ('value' in seen) {
			value = seen.value
			log.info({ paths }, 'a file has changed, its new version is used')
			onChange(value)
		}
		cancel = setTimer(poll, everyMs)
	}
	let cancel = setTimer(poll, everyMs)
	signal.addEventListener('abort', () => cancel(), { once: true })
	if (signal.aborted) cancel()
	return () => value
}

type Seen<T> = { value: T } | { fault: string } | { isUnchanged: true }

/** Returns a function that reads the files. It parses each version once, so that a large invalid file is not parsed at each interval. */
function reader<T>({ paths, parse, digest }: FileSource<T>): () => Seen<T> {
	let valid = digest
	let invalid: { digest: string; fault: string } | undefined
	return () => {
		const texts = attempt(() => paths.map(readText))
		if ('fault' in texts) return texts
		const now = digestOf(texts.value)
		if (now === valid) return { isUnchanged: true }
		if (now === invalid?.digest) return { fault: invalid.fault }
		const read = attempt(() => parsed(paths, parse, texts.value))
		if ('fault' in read) invalid = { digest: now, fault: read.fault }
		else valid = now
		return read
	}
}

function attempt<T>(act: () => T): { value: T } | { fault: string } {
	try {
		return { value: act() }
	} catch (error) {
		return { fault: wordsOf(error) }
	}
}

function parsed<T>(paths: readonly string[], parse: FileSource<T>['parse'], texts: readonly string[]): T {
	try {
		return parse(...texts)
	} catch (error) {
		throw new Error(`${paths.join(' and ')}: ${wordsOf(error)}`)
	}
}

/** Reads a regular file: opening another kind, such as a pipe, must not block the process. */
function readText(path: string): string {
	const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
	try {
		const stats = fstatSync(file)
		if (!stats.isFile()) throw new Error(`${path}: is not a regular file`)
		if (stats.size > SIZE_MAX) throw new Error(`${path}: has ${stats.size} bytes, and at most ${SIZE_MAX} are allowed`)
		return readFileSync(file, 'utf8')
	} finally {
		closeSync(file)
	}
}

function digestOf(texts: readonly string[]): string {
	const hash = createHash('sha256')
	for (const text of texts) hash.update(`${text.length}\n${text}`)
	return hash.digest('hex')
}

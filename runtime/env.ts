import * as z from 'zod'
import { Failure } from './errors.ts'
import { placeOf } from './faults.ts'

/**
 * Parses the environment with a schema whose keys are the names of the variables.
 *
 * A variable that is set to the empty string is treated as unset, because charts write `""` for values that are not set.
 *
 * @returns the parsed configuration, frozen
 * @throws Failure CONFIG_INVALID with all faults, one per line, each starting with the name of the variable, without any value
 */
export function readEnv<T>(schema: z.ZodType<T>, env: Readonly<Record<string, string | undefined>>): Readonly<T> {
	const parsed = schema.safeParse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== '')))
	if (parsed.success) return freeze(parsed.data)
	const faults = parsed.error.issues.map(issue => sentence(issue, env))
	throw new Failure('CONFIG_INVALID', faults.join('\n'), { facts: { faults } })
}

function sentence(issue: z.core.$ZodIssue, env: Readonly<Record<string, string | undefined>>): string {
	const name = placeOf(issue.path)
	if (!name) return issue.message
	return env[String(issue.path[0])] ? `${name}: ${issue.message}` : `${name} is required and not set`
}

function freeze<T>(value: T): Readonly<T> {
	if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
	for (const member of Object.values(value)) freeze(member)
	return Object.freeze(value)
}

/** A boolean, as parsed by Go's `strconv.ParseBool`: true, 1, t or false, 0, f, in any letter case. Set defaults with `.default(true)`. */
export const Bool = z.stringbool({
	truthy: ['true', '1', 't'],
	falsy: ['false', '0', 'f'],
	error: 'must be true or false',
})

/** A duration in Go's format (`30s`, `5m`, `1h30m`, `1.5s`), as milliseconds. Set defaults with `.prefault('30s')`. */
export const Duration = z.string().transform((text, context) => {
	const ms = parseDuration(text)
	if (ms !== undefined) return ms
	context.addIssue({ code: 'custom', message: 'must be a duration such as 30s, 5m or 1h30m' })
	return z.NEVER
})

/** A whole number in decimal digits. Set bounds with `.pipe(z.int().min(1))`, defaults with `.prefault('4')`. */
export const Whole = z
	.string()
	.regex(/^\d{1,15}$/, 'must be a whole number')
	.transform(Number)

/** The name of a Kubernetes object, such as a namespace, a Lease or a ServiceAccount: lower-case letters, digits, `-` and `.`. */
export const ObjectName = z
	.string()
	.max(253)
	.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be the name of a Kubernetes object: lower-case letters, digits, "-" and "."')

/** A string that is valid in an HTTP header, such as a token. */
export const HeaderText = z
	.string()
	.regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, 'must be printable ASCII without leading or trailing spaces')

/** An http or https URL. */
export const HttpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })

/**
 * The address a server listens on: `host:port`, `[::1]:port`, or `:port` (host "") for all IPv6 and IPv4 addresses. Port 0 selects a free
 * port. Set defaults with `.prefault(':8080')`.
 */
export const ListenAddress = z
	.string()
	.regex(/^[^ ]*:\d{1,5}$/, 'must be host:port or :port')
	.transform(text => {
		const colon = text.lastIndexOf(':')
		return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
	})
	.refine(({ port }) => port <= 65_535, 'must have a port of at most 65535')

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * Parses a Go duration (`time.ParseDuration`) into milliseconds, rounded to a whole number.
 *
 * @returns undefined if the string is not a valid duration: it has no unit (except `0`), or is negative, empty or too large
 */
export function parseDuration(text: string): number | undefined {
	if (text === '0') return 0
	if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined
	let ms = 0
	for (const [, amount = '', unit = ''] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g))
		ms += Number(amount) * (unitMs[unit] ?? 0)
	return Number.isSafeInteger(Math.round(ms)) ? Math.round(ms) : undefined
}

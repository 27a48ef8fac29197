import type * as z from 'zod'

/** Maximum number of faults in a message, and maximum length of each, because the input determines both. */
const MOST = 8
const LENGTH = 200

/** The validated value: the field that contains it (`spec`), and its name in faults of the value as a whole. */
type Subject = { field?: string; whole?: string }

/** Returns the faults of an input as one string: `spec.interfaces[0].mtu: must be …; and 3 more`. */
export function faultsIn({ issues }: Pick<z.ZodError, 'issues'>, { field = '', whole = field }: Subject = {}): string {
	const faults = issues.slice(0, MOST).map(({ path, message }) => {
		const place = path.length === 0 ? whole : placeOf(path, field)
		return `${place}${place && ': '}${message}`.slice(0, LENGTH)
	})
	return [...faults, ...(issues.length > MOST ? [`and ${issues.length - MOST} more`] : [])].join('; ')
}

/** One fault of an input, for a program. `path` is empty if the whole input is wrong. */
export type Fault = { path: string; message: string }

/** Returns the first faults of an input, at most 8. */
export function faultList({ issues }: Pick<z.ZodError, 'issues'>): Fault[] {
	return issues.slice(0, MOST).map(({ path, message }) => ({ path: placeOf(path), message: message.slice(0, LENGTH) }))
}

/** @returns the path of a fault: `spec.interfaces[0].mtu`, or `interfaces[0].mtu` if `field` is empty */
export function placeOf(path: readonly PropertyKey[], field = ''): string {
	const parts = path.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
	return `${field}${parts.join('')}`.replace(/^\./, '')
}

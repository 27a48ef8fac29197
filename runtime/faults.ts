import type * as z from 'zod'

/** Maximum number of faults in a message. The author of the input decides how many there are, and how long the values they quote. */
const MOST = 8
const LENGTH = 200

/** What is validated: the field that holds it (`spec`), and its name in faults that belong to no field of it. */
type Subject = { field?: string; whole?: string }

/** Returns the faults of an input, one sentence each: `spec.interfaces[0].mtu: must be …; and 3 more`. */
export function faultsIn({ issues }: Pick<z.ZodError, 'issues'>, { field = '', whole = field }: Subject = {}): string {
	const faults = issues.slice(0, MOST).map(({ path, message }) => {
		const place = path.length === 0 ? whole : placeOf(path, field)
		return `${place}${place && ': '}${message}`.slice(0, LENGTH)
	})
	return [...faults, ...(issues.length > MOST ? [`and ${issues.length - MOST} more`] : [])].join('; ')
}

/** @returns the place of a fault: `spec.interfaces[0].mtu`, without a field `interfaces[0].mtu` */
export function placeOf(path: readonly PropertyKey[], field = ''): string {
	const parts = path.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
	return `${field}${parts.join('')}`.replace(/^\./, '')
}

import type * as z from 'zod'

/** So many tell what is wrong. Whoever wrote the input decides how many there are, and how long the words that repeat it. */
const MOST = 8
const LENGTH = 200

/** What is judged: the field that it is in (`spec`), or what it is called where no field of it is to blame. */
type Subject = { field?: string; whole?: string }

/** What is wrong with an input, one sentence a fault: `spec.interfaces[0].mtu: must be …; and 3 more`. */
export function faultsIn({ issues }: Pick<z.ZodError, 'issues'>, { field = '', whole = field }: Subject = {}): string {
	const faults = issues.slice(0, MOST).map(({ path, message }) => {
		const place = path.length === 0 ? whole : placeOf(path, field)
		return `${place}${place && ': '}${message}`.slice(0, LENGTH)
	})
	return [...faults, ...(issues.length > MOST ? [`and ${issues.length - MOST} more`] : [])].join('; ')
}

/** @returns `spec.interfaces[0].mtu` */
function placeOf(path: readonly PropertyKey[], field: string): string {
	const parts = path.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
	return `${field}${parts.join('')}`.replace(/^\./, '')
}

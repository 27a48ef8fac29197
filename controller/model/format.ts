/** @returns the time in the format of a status: RFC 3339 in whole seconds */
export function timestamp(ms: number): string {
	return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** @returns `20 s`, `5 min` */
export function duration(ms: number): string {
	const seconds = Math.round(ms / 1_000)
	return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

const TIME = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

/** @returns the string unchanged, or undefined if the API server would reject it, for example because of a nonexistent day or hour 24 */
export function validTime(text: string): string | undefined {
	const [, date = ''] = (text.length <= 40 && TIME.exec(text)) || []
	const midnight = new Date(`${date}T00:00:00Z`)
	return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date) ? text : undefined
}

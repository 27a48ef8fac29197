/** @returns `text` with at most `max` characters, its end replaced by "…" where it was longer */
export function cut(text: string, max: number): string {
	return text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`
}

/** @returns a time for a status: RFC 3339 in whole seconds */
export function timestamp(ms: number): string {
	return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** @returns `20 s`, `5 min` */
export function duration(ms: number): string {
	const seconds = Math.round(ms / 1_000)
	return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

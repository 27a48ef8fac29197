/** @returns a time for a status: RFC 3339 in whole seconds */
export function timestamp(ms: number): string {
	return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** @returns `20 s`, `5 min` */
export function duration(ms: number): string {
	const seconds = Math.round(ms / 1_000)
	return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

/** Returns the paths at which a live object differs from the rendered object. */
export function differences(rendered: unknown, live: unknown, at: string): string[] {
	if (typeof rendered !== 'object' || rendered === null) return Object.is(rendered, live) ? [] : [`${at}: ${rendered}, not ${live}`]
	if (typeof live !== 'object' || live === null) return [`${at}: missing`]
	if (Array.isArray(rendered) && Array.isArray(live) && rendered.length !== live.length)
		return [`${at}: ${rendered.length} items, not ${live.length}`]
	return Object.entries(rendered).flatMap(([key, value]) => differences(value, (live as Record<string, unknown>)[key], `${at}.${key}`))
}

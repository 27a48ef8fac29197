/** A route of a server: its method and its path, in which `:name` stands for one segment and a final `*` for the rest. */
export type RoutePattern = { method: string; url: string }

/** Returns the methods that are allowed for a path, sorted, in the form of the header `Allow`; empty if no route has this path. */
export function allowedMethods(routes: readonly RoutePattern[], path: string): string {
	const methods = new Set(routes.filter(({ url }) => hasPath(url, path)).map(({ method }) => method))
	return methods.size === 0 ? '' : [...methods.add('OPTIONS')].sort().join(', ')
}

function hasPath(pattern: string, path: string): boolean {
	const wanted = pattern.split('/')
	const given = path.split('/')
	const isOpen = wanted.at(-1) === '*'
	if (isOpen ? given.length < wanted.length : given.length !== wanted.length) return false
	return wanted.every((segment, at) => segment === '*' || segment.startsWith(':') || segment === given[at])
}

import { linksOf } from '../plan/routing.ts'
import { exec } from './exec.ts'
import type { Route } from './state.ts'

/** Locked metrics of routes (`mtu lock 1400`): `ip -j` does not show the lock, so those of a link that a run may touch are read as text. */

/**
 * @param touchable whether a run may touch a link (ifindex); where none of its routes has a metric, no process is started
 * @returns the routes, with `lock` before each value that is locked
 */
export async function readLocks(routes: readonly Route[], touchable: (link: number) => boolean): Promise<readonly Route[]> {
	if (!routes.some(route => route.metrics && linksOf(route).some(touchable))) return routes
	const { stdout } = await exec('ip', ['-N', '-d', '-o', 'route', 'show', 'table', 'all'])
	return withLocks(routes, stdout)
}

/** @param text one line a route, in the order of `routes`; where they are not as many, routes have changed meanwhile and none is locked */
export function withLocks(routes: readonly Route[], text: string): readonly Route[] {
	const lines = text.split('\n').filter(line => line.trim())
	if (lines.length !== routes.length) return routes
	return routes.map((route, at) => {
		const line = lines[at] ?? ''
		if (!route.metrics || !line.includes(' lock ')) return route
		const entries = Object.entries(route.metrics).map(([name, value]) => [name, line.includes(` ${name} lock `) ? `lock ${value}` : value])
		return { ...route, metrics: Object.fromEntries(entries) as Record<string, string> }
	})
}

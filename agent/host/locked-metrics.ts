import { hex } from '../ip/hex.ts'
import { prefix } from '../ip/parse-route.ts'
import { linksOf, MAIN, type Route } from '../model/route.ts'
import { exec } from './exec.ts'

/**
 * Locked metrics of routes (`mtu lock 1400`). `ip -j` does not show the lock, so the routes of links that a run may touch are read as text.
 */

/**
 * @param touchable whether a run may touch a link (ifindex); if no route of such a link has a metric, no process is started
 * @returns the routes, with `lock` before each locked value
 */
export async function readLocks(routes: readonly Route[], touchable: (link: number) => boolean): Promise<readonly Route[]> {
	if (!routes.some(route => route.metrics && linksOf(route).some(touchable))) return routes
	const { stdout } = await exec('ip', ['-N', '-d', '-o', 'route', 'show', 'table', 'all'])
	return withLocks(routes, stdout)
}

/** `ip` always locks this metric, and accepts no `lock` before its value. */
const LOCKS_ITSELF = 'rto_min'

/** @param text output of `ip`, one line per route; routes may have been added or removed since `routes` was read */
export function withLocks(routes: readonly Route[], text: string): readonly Route[] {
	const locked = new Map<string, string>()
	for (const line of text.split('\n')) if (line.includes(' lock ')) locked.set(keyOfLine(line), line)
	return routes.map(route => {
		const line = route.metrics && locked.get(lockKey(route))
		if (!line) return route
		const isLocked = (name: string) => name !== LOCKS_ITSELF && line.includes(` ${name} lock `)
		const entries = Object.entries(route.metrics ?? {}).map(([name, value]) => [name, isLocked(name) ? `lock ${value}` : value])
		return { ...route, metrics: Object.fromEntries(entries) as Record<string, string> }
	})
}

/** A key that identifies a route across all tables. */
function lockKey({ type, family, to, table, metric, tos, from }: Route): string {
	return [type, family, to, table, metric, tos ? hex(tos) : '', from ?? ''].join(' ')
}

const WORDS = ['table', 'metric', 'tos', 'from']

function keyOfLine(line: string): string {
	const [type, shown = ''] = line.trim().split(/\s+/)
	const family = shown.includes(':') || line.includes(' pref ') ? 6 : 4
	const [table = MAIN, metric = 0, tos = '', from = ''] = WORDS.map(word => new RegExp(` ${word} (\\S+)`).exec(line)?.[1])
	return [type, family, prefix(shown, family), table, metric, tos, from && prefix(from, family)].join(' ')
}

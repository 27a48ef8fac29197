import type { Probe } from '../contract/agent-run.ts'
import { neighbourAnswers, tcpAnswers } from './host/reach.ts'
import type { HostState } from './host/state.ts'
import { bestDefault } from './preflight.ts'

export type Target = { name: string; ask(): Promise<boolean> }

/** The node's own paths: the API server, and the gateways of its default routes. */
export function targetsOf(host: HostState, apiServer: { host: string; port: number } | undefined): Target[] {
	const api: Target[] = apiServer ? [{ name: 'api', ask: () => tcpAnswers(apiServer.host, apiServer.port) }] : []
	const gateways = ([4, 6] as const).flatMap(family => {
		const { via, link } = bestDefault(host.routes, family) ?? {}
		return via === undefined || link === undefined
			? []
			: [{ name: family === 4 ? 'gateway' : 'gateway6', ask: () => neighbourAnswers(via, link) }]
	})
	return [...api, ...gateways]
}

/**
 * Asks every target until it answers, at most `patienceMs` milliseconds: a path may need a moment after a change.
 *
 * @returns one probe a target; a silent one is not ok
 */
export function probe(targets: readonly Target[], patienceMs: number): Promise<Probe[]> {
	return Promise.all(targets.map(target => probeOne(target, patienceMs)))
}

/** @returns the targets that answered before and no longer do */
export function lostPaths(before: readonly Probe[], after: readonly Probe[]): string[] {
	const silent = new Set(after.filter(({ ok }) => !ok).map(({ name }) => name))
	return before.filter(({ name, ok }) => ok && silent.has(name)).map(({ name }) => name)
}

async function probeOne({ name, ask }: Target, patienceMs: number): Promise<Probe> {
	const started = performance.now()
	for (;;) {
		const asked = performance.now()
		if (await ask()) return { name, ok: true, milliseconds: round(performance.now() - asked) }
		if (performance.now() - started > patienceMs)
			return { name, ok: false, milliseconds: round(performance.now() - started), message: 'no answer' }
		await new Promise(resolve => setTimeout(resolve, 200))
	}
}

function round(milliseconds: number): number {
	return Math.round(milliseconds * 10) / 10
}

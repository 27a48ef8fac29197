import { NodeConfig } from '../controller/model/node-config-kind.ts'
import type { ConfigView } from '../controller/model/snapshot.ts'
import { configView } from '../controller/cache/config-view.ts'
import { type KubeClient, startReflector } from '../runtime/kube/index.ts'
import { createLog } from '../runtime/log.ts'
import { printLine, seconds, step, type ReportProgress } from './base/progress.ts'
import { namespace } from './demo/cloud.ts'

/** The counts and durations (in seconds) of a rollout. */
export type FleetResult = { nodes: number; configured: number; seconds: { created: number; settled: number } }

/**
 * Creates the node configs and waits until every one is Configured or Failed.
 *
 * @param create creates all node configs
 */
export async function rollOutFleet(
	client: KubeClient,
	names: readonly string[],
	create: (report: ReportProgress) => Promise<void>,
): Promise<FleetResult> {
	const stop = new AbortController()
	const counts = new Map<string, number>()
	const { promise: settled, resolve } = Promise.withResolvers<void>()
	const count = (state: string) => counts.get(state) ?? 0
	const add = (view: ConfigView | undefined, by: number) => {
		const state = view?.status.state ?? 'Pending'
		if (view) counts.set(state, count(state) + by)
	}
	startReflector({
		...{ client, namespace, kind: NodeConfig, project: configView, signal: stop.signal, log: createLog('lab', { level: 'silent' }) },
		onChange: (_, now, before) => {
			add(before, -1)
			add(now, 1)
			if (count('Configured') + count('Failed') === names.length) resolve()
		},
	})
	const began = Date.now()
	try {
		await step(`${names.length} node configs`, create)
		const created = Date.now() - began
		await step('rollout', async report => {
			const ticker = setInterval(() => report(`${count('Configured')} configured, ${count('InProgress')} in progress`), 200)
			await settled.finally(() => clearInterval(ticker))
		})
		const all = Date.now() - began
		printLine(`${count('Configured')} of ${names.length} configured in ${seconds(all)}`)
		return { nodes: names.length, configured: count('Configured'), seconds: { created: created / 1_000, settled: all / 1_000 } }
	} finally {
		stop.abort()
	}
}

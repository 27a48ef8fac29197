import type { KubeClient } from '../../runtime/kube/client.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { Job } from '../../runtime/kube/kinds.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { namespace } from './cluster.ts'

/** Times at which a watch first reported each Job, in milliseconds. */
export type JobTimes = {
	/** Resolves with the time when the Job of that name has been reported. */
	made(name: string): Promise<number>
	/** Resolves when `count` Jobs have been reported. */
	reached(count: number): Promise<void>
	/** Number of Jobs that have been reported, counted by name. */
	count(): number
	stop(): void
}

/** @param node counts only Jobs of nodes whose names start with it */
export async function watchJobs(client: KubeClient, node = ''): Promise<JobTimes> {
	const stop = new AbortController()
	const heard = new Map<string, number>()
	const waiting = new Map<string, (at: number) => void>()
	const crowds = new Map<number, () => void>()
	const { synced } = startReflector({
		...{ client, kind: Job, namespace, signal: stop.signal, log: createLog('bench', { level: 'warn' }) },
		project: ({ metadata }: Stored<Job>) => metadata.name,
		onChange: (_, name) => {
			if (!name?.startsWith(`multinic-agent-${node}`) || heard.has(name)) return
			const at = performance.now()
			heard.set(name, at)
			waiting.get(name)?.(at)
			crowds.get(heard.size)?.()
		},
	})
	await synced
	return {
		made: name =>
			new Promise(resolve => {
				const at = heard.get(name)
				if (at === undefined) waiting.set(name, resolve)
				else resolve(at)
			}),
		reached: count => (heard.size >= count ? Promise.resolve() : new Promise(resolve => void crowds.set(count, resolve))),
		count: () => heard.size,
		stop: () => stop.abort(),
	}
}

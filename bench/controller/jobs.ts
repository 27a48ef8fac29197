import type { KubeClient } from '../../runtime/kube/client.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { Job } from '../../runtime/kube/kinds.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { namespace } from './cluster.ts'

/** When a watch heard of each Job, in milliseconds. */
export type JobTimes = {
	/** Resolves when the Job of that name has been heard of. */
	made(name: string): Promise<number>
	stop(): void
}

export async function watchJobs(client: KubeClient): Promise<JobTimes> {
	const stop = new AbortController()
	const heard = new Map<string, number>()
	const waiting = new Map<string, (at: number) => void>()
	const { synced } = startReflector({
		...{ client, kind: Job, namespace, signal: stop.signal, log: createLog('bench', { level: 'warn' }) },
		project: ({ metadata }: Stored<Job>) => metadata.name,
		onChange: (_, name) => {
			if (name === undefined || heard.has(name)) return
			const at = performance.now()
			heard.set(name, at)
			waiting.get(name)?.(at)
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
		stop: () => stop.abort(),
	}
}

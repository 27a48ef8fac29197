import { NodeConfig } from '../../controller/kinds.ts'
import type { NodeConfigObject } from '../../controller/view.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { namespace } from './cluster.ts'

/** When each node config was first told to be in that state, as a watch heard it. */
export type States = {
	/** Resolves once so many of these names were: when the first and the last of them was, in milliseconds. */
	all(state: string, names: readonly string[]): Promise<{ first: number; last: number }>
	stop(): void
}

export async function watchStates(client: KubeClient): Promise<States> {
	const stop = new AbortController()
	const heard = new Map<string, number>()
	const waiting = new Set<() => void>()
	const { synced } = startReflector({
		...{ client, kind: NodeConfig, namespace, signal: stop.signal, log: createLog('bench', { level: 'warn' }) },
		onChange: (_, now: Stored<NodeConfigObject> | undefined) => {
			const key = `${now?.metadata.name} ${now?.status?.state}`
			if (!heard.has(key)) heard.set(key, performance.now())
			for (const look of waiting) look()
		},
	})
	await synced
	return {
		all: (state, names) =>
			new Promise(resolve => {
				const look = () => {
					const times = names.map(name => heard.get(`${name} ${state}`))
					if (times.some(time => time === undefined)) return
					waiting.delete(look)
					resolve({ first: Math.min(...(times as number[])), last: Math.max(...(times as number[])) })
				}
				waiting.add(look)
				look()
			}),
		stop: () => stop.abort(),
	}
}

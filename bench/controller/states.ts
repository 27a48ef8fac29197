import { NodeConfig, type NodeConfigObject } from '../../controller/model/node-config-kind.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { startReflector } from '../../runtime/kube/reflector.ts'
import { createLog } from '../../runtime/log.ts'
import { namespace } from './cluster.ts'

/** Times at which a watch first reported each node config in each state. */
export type States = {
	/** Resolves when all these node configs have been in the state, with the times of the first and the last of them, in milliseconds. */
	all(state: string, names: readonly string[]): Promise<{ first: number; last: number }>
	stop(): void
}

export async function watchStates(client: KubeClient): Promise<States> {
	const stop = new AbortController()
	const heard = new Map<string, Map<string, number>>()
	const waiting = new Set<(name: string, state: string) => void>()
	const { synced } = startReflector({
		...{ client, kind: NodeConfig, namespace, signal: stop.signal, log: createLog('bench', { level: 'warn' }), project: nameAndState },
		onChange: (_, now) => {
			if (!now?.state) return
			const times = timesOf(now.state)
			if (times.has(now.name)) return
			times.set(now.name, performance.now())
			for (const look of waiting) look(now.name, now.state)
		},
	})
	await synced
	function timesOf(state: string): Map<string, number> {
		const times = heard.get(state) ?? new Map<string, number>()
		heard.set(state, times)
		return times
	}
	return {
		all: (state, names) =>
			new Promise(resolve => {
				const times = timesOf(state)
				const missing = new Set(names.filter(name => !times.has(name)))
				const look = (name: string, said: string) => {
					if (said === state) missing.delete(name)
					if (missing.size > 0) return
					waiting.delete(look)
					const all = names.map(name => times.get(name) ?? 0)
					resolve({ first: Math.min(...all), last: Math.max(...all) })
				}
				waiting.add(look)
				look('', '')
			}),
		stop: () => stop.abort(),
	}
}

/** Returns the only data that the observer keeps, because it shares two cores with the processes that it observes. */
function nameAndState({ metadata: { name }, status }: Stored<NodeConfigObject>): { name: string; state: string } {
	return { name, state: String(status?.state ?? '') }
}

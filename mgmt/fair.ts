import { nameOf } from '../runtime/kube/index.ts'
import type { Reconcile } from '../runtime/loop.ts'

/** Maximum number of OpenstackConfigs of one namespace that are reconciled concurrently. */
const MOST = 4

/**
 * Limits the concurrent reconciles of one namespace. The remote systems that an author names may be slow, so the OpenstackConfigs of one
 * namespace must leave workers for other namespaces.
 *
 * @param add queues a key that had to wait
 */
export function fairly(reconcile: Reconcile, add: (key: string) => void, most = MOST): Reconcile {
	const inWork = new Map<string, number>()
	const waiting = new Map<string, Set<string>>()
	const leave = (namespace: string) => {
		const rest = (inWork.get(namespace) ?? 1) - 1
		if (rest === 0) inWork.delete(namespace)
		else inWork.set(namespace, rest)
		const line = waiting.get(namespace)
		const [next] = line ?? []
		if (next === undefined) return
		line?.delete(next)
		if (line?.size === 0) waiting.delete(namespace)
		add(next)
	}
	return async (key, signal) => {
		const { namespace = '' } = nameOf(key)
		const now = inWork.get(namespace) ?? 0
		if (now >= most) return void waiting.set(namespace, (waiting.get(namespace) ?? new Set()).add(key))
		inWork.set(namespace, now + 1)
		return reconcile(key, signal).finally(() => leave(namespace))
	}
}

import { type KubeClient, startReflector } from '../runtime/kube/index.ts'
import type { Log } from '../runtime/log.ts'
import { type OpenstackConfig, OpenstackConfigKind } from './kind.ts'

type Options = {
	client: KubeClient
	/** Only these namespaces, so that a Role in each is enough; default: all, which needs a ClusterRole. */
	namespaces: readonly string[] | undefined
	onChange: (key: string, now: OpenstackConfig | undefined, before: OpenstackConfig | undefined, backlog: boolean) => void
	log: Log
	signal: AbortSignal
}

/** Watches the OpenstackConfigs of some namespaces or of all until `signal` is aborted. */
export function watchConfigs({ namespaces, ...options }: Options) {
	const scopes = namespaces?.map(namespace => ({ namespace })) ?? [{}]
	const reflectors = scopes.map(scope => startReflector({ ...options, ...scope, kind: OpenstackConfigKind }))
	const synced = Promise.all(reflectors.map(reflector => reflector.synced))
	synced.catch(() => {}) // callers that await it get the rejection; without such a caller, the rejection must not end the process
	return {
		/** The OpenstackConfigs that have been read so far. */
		values: () => reflectors.flatMap(({ store }) => [...store.values()]),
		/** Resolves when every namespace has been read; rejects with the reason of the signal if it is aborted first. */
		synced,
		/** Whether every namespace has been read. */
		isSynced: () => reflectors.every(reflector => reflector.isSynced()),
		/** Resolves when the last watch has ended. */
		done: Promise.all(reflectors.map(({ done }) => done)),
	}
}

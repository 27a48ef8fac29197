import { LABEL_PROVIDER_ID } from '../../contract/names.ts'
import { type KubeClient, Secret, startReflector } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { keepValid, readSecret, type SecretTarget } from './secret.ts'

export type SecretsOptions = { client: KubeClient; namespace: string }

/** Watches the Secrets of a namespace that define biz clusters. Their content is never held as a whole, and never logged. */
export function watchSecrets(
	{ client, namespace }: SecretsOptions,
	{ log, signal, onChange }: { log: Log; signal: AbortSignal; onChange: () => void },
) {
	const current = new Map<string, SecretTarget>()
	const reflector = startReflector({
		...{ client, namespace, log, signal },
		kind: Secret,
		labelSelector: LABEL_PROVIDER_ID,
		project: readSecret,
		onChange: (key, now) => {
			if (now) current.set(key, keepValid(now, current.get(key)))
			else current.delete(key)
			onChange()
		},
	})
	let isSynced = false
	const synced = () => {
		isSynced = true
		onChange()
	}
	reflector.synced.then(synced, () => {}) // rejects when the signal is aborted
	return { all: () => [...current.values()], isSynced: () => isSynced }
}

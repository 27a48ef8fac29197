import { ROLLOUT_CONFIG_MAP, ROLLOUT_STOP } from '../../contract/rollout.ts'
import { type NamedStop, STOPS_KEY, STOPS_MAX, stopsIn } from '../../contract/stops.ts'
import { wordsOf } from '../../runtime/errors.ts'
import { ConfigMap, isKubeFailure, type KubeClient } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import type { Stop } from './member.ts'

/**
 * Records the nodes that stop the rollout in ConfigMap multinic-rollout-stop. While such a node is retried, its status no longer shows that
 * it stops the rollout; without the record, a controller that restarts or takes over would continue the rollout.
 */

/** @returns the recorded stops by node name; an invalid record is treated as empty, because only the controller may write it */
export function readStops(data: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, Stop> {
	return new Map((stopsIn(data) ?? []).map(({ name, uid, stops }) => [name, { uid, stops }]))
}

export type StopRecord = {
	/** Writes the record in the background if it has changed. */
	scheduleWrite(): void
	/** Checks the record after a change to the ConfigMap, and writes it again if another client deleted or changed it. */
	checkStored(): void
	/** Writes the record if it has changed, and resolves when it is written. @throws Failure if the write fails */
	flush(): Promise<void>
}

type Options = {
	client: KubeClient
	namespace: string
	log: Log
	signal: AbortSignal
	/** The nodes that stop the rollout now. */
	stops: () => readonly NamedStop[]
	/** The data of the ConfigMap, according to the cache. */
	stored: () => Readonly<Record<string, string>> | undefined
	/**
	 * uid of ConfigMap multinic-rollout, which becomes the owner of the record so that both are deleted together; empty if there is no
	 * owner.
	 */
	owner: () => string
}

/** Creates the writer of the record. It makes one write at a time, always with the current state. */
export function createStopRecord({ client, namespace, log, signal, stops, stored, owner }: Options): StopRecord {
	let written: string | undefined
	let busy: Promise<void> = Promise.resolve()
	const write = async () => {
		const text = JSON.stringify(stops().slice(0, STOPS_MAX))
		if (text === (written ?? stored()?.[STOPS_KEY] ?? '[]')) return
		await writeRecord(client, { namespace, text, owner: owner() })
		written = text
	}
	const flush = () => {
		busy = busy.catch(() => {}).then(write)
		return busy
	}
	const scheduleWrite = () =>
		void flush().catch(error => {
			if (!signal.aborted) log.warn({ configMap: ROLLOUT_STOP, error: wordsOf(error) }, 'failed to record which nodes stop the rollout')
		})
	const checkStored = () => {
		if (written === undefined || stored()?.[STOPS_KEY] === written) return
		written = undefined
		scheduleWrite()
	}
	return { flush, scheduleWrite, checkStored }
}

type Written = { namespace: string; text: string; owner: string }

async function writeRecord(client: KubeClient, { namespace, text, owner }: Written): Promise<void> {
	const at = { namespace, name: ROLLOUT_STOP }
	const data = { [STOPS_KEY]: text }
	try {
		await client.patch(ConfigMap, at, { data })
	} catch (error) {
		if (!isKubeFailure(error, 'NOT_FOUND')) throw error
		const ownerReferences = owner === '' ? [] : [{ apiVersion: 'v1', kind: 'ConfigMap', name: ROLLOUT_CONFIG_MAP, uid: owner }]
		await client.create(ConfigMap, { metadata: { ...at, ownerReferences }, data })
	}
}

import { ROLLOUT_CONFIG_MAP, ROLLOUT_STOP } from '../contract/rollout.ts'
import { type NamedStop, STOPS_KEY, STOPS_MAX, stopsIn } from '../contract/stops.ts'
import { wordsOf } from '../runtime/errors.ts'
import type { KubeClient } from '../runtime/kube/client.ts'
import { isKubeFailure } from '../runtime/kube/failures.ts'
import { ConfigMap } from '../runtime/kube/kinds.ts'
import type { Log } from '../runtime/log.ts'
import type { Stop } from './member.ts'

/**
 * Who stops the rollout, in ConfigMap multinic-rollout-stop: while such a node is tried again its status no longer says so, and a controller
 * that is started anew, or takes over, would let the others go.
 */

/** @returns what is on record, by name; nothing where it cannot be read: whoever may write it is the controller alone */
export function readStops(data: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, Stop> {
	return new Map((stopsIn(data) ?? []).map(({ name, uid, stops }) => [name, { uid, stops }]))
}

export type StopRecord = {
	/** Something may have changed: it is written down soon. */
	touch(): void
	/** The ConfigMap is another one now: what somebody deleted or changed is written again. */
	seen(): void
	/** Resolves when what is so now is written down. @throws Failure where it cannot be */
	keep(): Promise<void>
}

type Options = {
	client: KubeClient
	namespace: string
	log: Log
	signal: AbortSignal
	/** Who stops the others now. */
	stops: () => readonly NamedStop[]
	/** What the ConfigMap holds, as far as is known. */
	stored: () => Readonly<Record<string, string>> | undefined
	/** uid of ConfigMap multinic-rollout, with which the record goes; empty where there is none. */
	owner: () => string
}

/** Writes one at a time, the newest. */
export function createStopRecord({ client, namespace, log, signal, stops, stored, owner }: Options): StopRecord {
	let written: string | undefined
	let busy: Promise<void> = Promise.resolve()
	const write = async () => {
		const text = JSON.stringify(stops().slice(0, STOPS_MAX))
		if (text === (written ?? stored()?.[STOPS_KEY] ?? '[]')) return
		await put(client, { namespace, text, owner: owner() })
		written = text
	}
	const keep = () => {
		busy = busy.catch(() => {}).then(write)
		return busy
	}
	const touch = () =>
		void keep().catch(error => {
			if (!signal.aborted) log.warn({ configMap: ROLLOUT_STOP, error: wordsOf(error) }, 'failed to record which nodes stop the rollout')
		})
	const seen = () => {
		if (written === undefined || stored()?.[STOPS_KEY] === written) return
		written = undefined
		touch()
	}
	return { keep, touch, seen }
}

type Written = { namespace: string; text: string; owner: string }

async function put(client: KubeClient, { namespace, text, owner }: Written): Promise<void> {
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

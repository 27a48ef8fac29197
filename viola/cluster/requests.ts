import { isKubeFailure, type KubeClient, keyOf, type Reflector, type Stored } from '../../runtime/kube/index.ts'
import type { Entry } from '../model/entry.ts'
import { NodeConfigKind, type NodeConfigObject } from '../model/node-config-kind.ts'
import { project } from '../model/project.ts'
import type { Contact } from './contact.ts'
import { unreachable } from './unavailable.ts'

/** Options of a write. `dryRun`: the API server checks everything and stores nothing. */
export type WriteHow = { dryRun?: boolean; signal?: AbortSignal }

/**
 * Requests to the API server. Their results are in the entries immediately. Each throws CLUSTER_UNREACHABLE if the cluster is down, without
 * waiting, and otherwise a Failure with the API server's message.
 */
export type Requests = {
	create(object: NodeConfigObject, how?: WriteHow): Promise<Entry>
	/** Sends a merge patch. */
	patch(nodeName: string, change: object, how?: WriteHow): Promise<Entry>
	/** Reads one node config from the API server; undefined if it does not exist. */
	read(nodeName: string, signal?: AbortSignal): Promise<Entry | undefined>
	/** @returns false if there was no such node config */
	remove(nodeName: string): Promise<boolean>
}

/** The dependencies of the requests of a cluster. */
export type Wiring = {
	client: KubeClient
	namespace: string
	providerId: string
	contact: Contact
	reflector: Pick<Reflector<NodeConfigObject, Entry>, 'store' | 'observeWrite'>
	/** Called with the name of a node whose node config no longer exists, although the watch has not reported it. */
	hide(nodeName: string): void
}

/** Creates the requests of a cluster. */
export function requestsOf(wiring: Wiring): Requests {
	const { client, namespace, contact, reflector } = wiring
	// writes that wait for a connection are dropped when the cluster goes down
	const writer = client.guarded(() => contact.state() !== 'down')
	const at = (name: string) => ({ namespace, name })
	const send = <R>(request: () => Promise<R>) => sendIfUp(wiring, request)
	const stored = (object: Stored<NodeConfigObject>, isReal = true): Entry => {
		const entry = project(object)
		if (isReal) reflector.observeWrite(object)
		return entry
	}
	const read: Requests['read'] = async (nodeName, signal) => {
		const object = await send(() => client.find(NodeConfigKind, at(nodeName), signal ? { signal } : {}))
		return object && stored(object)
	}
	return {
		read,
		create: async (object, how = {}) => stored(await send(() => writer.create(NodeConfigKind, object, how)), !how.dryRun),
		patch: async (name, change, how = {}) => stored(await send(() => writer.patch(NodeConfigKind, at(name), change, how)), !how.dryRun),
		async remove(nodeName) {
			const isFound = await send(() => writer.delete(NodeConfigKind, at(nodeName)))
			// the next request must see the deletion, even if it comes before the event of the watch
			if (!(await read(nodeName)) && reflector.store.has(keyOf(at(nodeName)))) wiring.hide(nodeName)
			return isFound
		},
	}
}

async function sendIfUp<R>({ providerId, contact }: Wiring, request: () => Promise<R>): Promise<R> {
	if (contact.state() === 'down') throw unreachable(providerId, contact.why())
	try {
		return await request()
	} catch (error) {
		contact.failed(error)
		if (contact.state() === 'down' && isKubeFailure(error, 'STOPPED', 'UNREACHABLE', 'TIMED_OUT'))
			throw unreachable(providerId, contact.why())
		throw error
	}
}

import type { GrantedClient } from '../disclosure/client.ts'
import { type Grant, isSameSecret } from '../disclosure/decide.ts'
import type { Actor } from '../inventory/inventory.ts'
import type { Remote } from '../model/settings.ts'
import { followNodeConfigs, type StreamOptions } from './stream.ts'

/** A biz cluster behind a viola, and the token for it. */
export type Target = { providerId: string; grant: Grant; remote: Remote }

export type FollowerOptions = Pick<StreamOptions, 'inventory' | 'log' | 'clock' | 'chance'> & {
	/** Runs work with a client of the target, whose calls are aborted by the signal. */
	during(target: Target, signal: AbortSignal, work: (client: GrantedClient) => Promise<void>): Promise<void>
	/** Called when viola rejects the token that this OpenstackConfig uses. */
	onRefused(key: string): void
}

/** Follows the node configs of every biz cluster to which an OpenstackConfig sends: one stream per viola endpoint, token and provider. */
export type Follower = {
	/** Follows the target of an OpenstackConfig, and no longer its previous one if it is different. */
	follow(key: string, target: Target): void
	/** Ends the stream of an OpenstackConfig, unless another one uses it. */
	leave(key: string): void
	/** Remembers who has the node configs deleted, until the stream reports that they are. */
	withdrew(providerId: string, nodeNames: readonly string[], actor: Actor): void
	/** Ends all streams. */
	close(): Promise<void>
}

type Stream = { target: Target; keys: Set<string>; stop: AbortController; ended: Promise<void> }

export function createFollower(options: FollowerOptions): Follower {
	const streams = new Set<Stream>()
	const ending = new Set<Promise<void>>()
	const withdrawals = new Map<string, Actor>()
	const removedBy = (providerId: string) => (nodeName: string) => {
		const key = JSON.stringify([providerId, nodeName])
		const actor = withdrawals.get(key) ?? someone
		withdrawals.delete(key)
		return actor
	}
	const open = (target: Target): Stream => {
		const stop = new AbortController()
		const keys = new Set<string>()
		const { providerId, remote } = target
		const onRefused = () => [...keys].forEach(options.onRefused)
		const own = { ...options, providerId, timeoutMs: remote.timeoutMs, removedBy: removedBy(providerId), onRefused }
		const ended = options.during(target, stop.signal, client => followNodeConfigs({ ...own, client }, stop.signal))
		ending.add(ended)
		void ended.finally(() => ending.delete(ended))
		const stream = { target, keys, stop, ended }
		streams.add(stream)
		return stream
	}
	const leave = (key: string) => {
		for (const stream of streams) {
			if (!stream.keys.delete(key) || stream.keys.size > 0) continue
			streams.delete(stream)
			stream.stop.abort(new Error('no OpenstackConfig uses this stream'))
		}
	}
	return {
		follow(key, target) {
			const same = [...streams].find(stream => isSame(stream.target, target))
			if (same?.keys.has(key)) return
			leave(key)
			const stream = same ?? open(target)
			stream.keys.add(key)
		},
		leave,
		withdrew(providerId, nodeNames, actor) {
			for (const nodeName of nodeNames) withdrawals.set(JSON.stringify([providerId, nodeName]), actor)
		},
		async close() {
			for (const { stop } of streams) stop.abort(new Error('mgmt stops'))
			streams.clear()
			await Promise.all(ending)
		},
	}
}

/** Kubernetes does not report who deleted an object. */
const someone: Actor = { kind: 'manager', name: 'unknown' }

function isSame(one: Target, other: Target): boolean {
	const [a, b] = [one.remote, other.remote]
	const isSameRemote = a.endpoint.url === b.endpoint.url && a.insecure === b.insecure && a.ca === b.ca
	return isSameRemote && one.providerId === other.providerId && isSameSecret(one.grant.secret, other.grant.secret)
}

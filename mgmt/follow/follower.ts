import { type Deadline, deadline } from '../../runtime/clock.ts'
import type { GrantedClient } from '../disclosure/client.ts'
import { type Grant, isSameSecret } from '../disclosure/decide.ts'
import type { Actor } from '../inventory/inventory.ts'
import type { Remote } from '../model/settings.ts'
import { followNodeConfigs, type StreamOptions } from './stream.ts'
import { createWithdrawals } from './withdrawals.ts'

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
	/** Ends the stream of a deleted OpenstackConfig when its node configs are deleted, which takes a while, or after 15 minutes. */
	finish(key: string): void
	/** Remembers who has the node configs deleted, until the stream reports that they are. */
	withdrew(providerId: string, nodeNames: readonly string[], actor: Actor): void
	/** Ends all streams. */
	close(): Promise<void>
}

type Stream = { target: Target; keys: Set<string>; life: Deadline; ended: Promise<void> }

/** How long a stream continues without an OpenstackConfig, in milliseconds. */
const FINISH_MS = 15 * 60_000

export function createFollower(options: FollowerOptions): Follower {
	const streams = new Set<Stream>()
	const all = new Set<Promise<void>>()
	const withdrawals = createWithdrawals(providerId => {
		for (const stream of streams) if (stream.keys.size === 0 && stream.target.providerId === providerId) end(stream)
	})
	const open = (target: Target): Stream => {
		const stream = start(options, target, nodeName => withdrawals.take(target.providerId, nodeName) ?? someone)
		streams.add(stream)
		all.add(stream.ended)
		void stream.ended.finally(() => all.delete(stream.ended) && streams.delete(stream))
		return stream
	}
	const leave = (key: string, isUnused: (stream: Stream) => void) => {
		for (const stream of streams) if (stream.keys.delete(key) && stream.keys.size === 0) isUnused(stream)
	}
	const end = (stream: Stream) => {
		streams.delete(stream)
		stream.life.clear()
		stream.life.abort(new Error('no OpenstackConfig uses this stream'))
	}
	return {
		follow(key, target) {
			const same = [...streams].find(stream => isSame(stream.target, target))
			if (same?.keys.has(key)) return
			leave(key, end)
			const stream = same ?? open(target)
			stream.life.restart(0)
			stream.keys.add(key)
		},
		leave: key => leave(key, end),
		finish: key =>
			leave(key, stream => {
				if (withdrawals.has(stream.target.providerId)) stream.life.restart(FINISH_MS)
				else end(stream)
			}),
		withdrew: withdrawals.add,
		async close() {
			for (const stream of streams) end(stream)
			await Promise.all(all)
		},
	}
}

function start({ during, onRefused, ...options }: FollowerOptions, target: Target, removedBy: StreamOptions['removedBy']): Stream {
	const keys = new Set<string>()
	const life = deadline(0)
	const { providerId, remote } = target
	const own = { ...options, providerId, removedBy, timeoutMs: remote.timeoutMs, onRefused: () => [...keys].forEach(onRefused) }
	const ended = during(target, life.signal, client => followNodeConfigs({ ...own, client }, life.signal))
	return { target, keys, life, ended }
}

/** Kubernetes does not report who deleted an object. */
const someone: Actor = { kind: 'manager', name: 'unknown' }

function isSame(one: Target, other: Target): boolean {
	const [a, b] = [one.remote, other.remote]
	const isSameRemote = a.endpoint.url === b.endpoint.url && a.insecure === b.insecure && a.ca === b.ca
	return isSameRemote && one.providerId === other.providerId && isSameSecret(one.grant.secret, other.grant.secret)
}

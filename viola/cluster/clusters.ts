import { type SetTimer, systemTimer } from '../../runtime/clock.ts'
import { Failure, wordsOf } from '../../runtime/errors.ts'
import type { ViolaCode } from '../model/failures.ts'
import type { Target, TargetChange } from '../targets/target.ts'
import { type Connection, connection, type ConnectionOptions, type Opened } from './connection.ts'

/** A request that uses a cluster. */
export type Use = {
	/** Aborted when the request has ended. Until then its cluster stays open, even if its target changes or is removed. */
	ended: AbortSignal
	/** Called if another connection replaces that of the cluster; a long request, such as a stream, must then end. */
	onReplaced?: () => void
}

export type Clusters<C extends Opened> = {
	/**
	 * Returns the cluster of a provider for one request.
	 *
	 * @throws Failure CLUSTER_UNREACHABLE with the provider and the reason if the cluster cannot be opened
	 */
	borrow(providerId: string, use: Use): Promise<C>
	/** The open clusters. */
	all(): C[]
	/** Opens the cluster of a target that was added, opens it again if the target has changed, and closes it if it was removed. */
	apply(change: TargetChange): void
	/** Closes all clusters, including those in use. */
	close(): Promise<void>
}

type Options<C> = Pick<ConnectionOptions<C>, 'open' | 'log'> & { setTimer?: SetTimer }

/** Holds one open cluster per provider. */
export function createClusters<C extends Opened>({ open, log, setTimer = systemTimer }: Options<C>): Clusters<C> {
	const connections = new Map<string, Connection<C>>()
	const closing = new Set<Promise<void>>()
	const close = (cluster: C) => {
		const closed = cluster.close().catch((error: unknown) => log.warn({ err: error }, 'a biz cluster could not be closed'))
		closing.add(closed)
		void closed.then(() => closing.delete(closed))
	}
	const slotOf = ({ providerId }: Target) => {
		const slot = connections.get(providerId) ?? connection<C>({ open, close, log, setTimer })
		connections.set(providerId, slot)
		return slot
	}
	return {
		async borrow(providerId, { ended, onReplaced }) {
			const slot = connections.get(providerId)
			if (!slot) throw unreachable(providerId, 'it was removed')
			const borrowed = await slot.borrow(onReplaced)
			if ('fault' in borrowed) throw unreachable(providerId, borrowed.fault)
			if (ended.aborted) borrowed.release()
			else ended.addEventListener('abort', borrowed.release, { once: true })
			return borrowed.cluster
		},
		all: () => [...connections.values()].flatMap(slot => slot.current() ?? []),
		apply({ type, target }) {
			if (type !== 'removed') return slotOf(target).set(target)
			void connections.get(target.providerId)?.end()
			connections.delete(target.providerId)
		},
		async close() {
			const slots = [...connections.values()]
			connections.clear()
			await Promise.all(slots.map(slot => slot.end(true)))
			await Promise.all(closing)
		},
	}
}

function unreachable(providerId: string, cause: unknown): Failure {
	return new Failure<ViolaCode>('CLUSTER_UNREACHABLE', `the cluster of provider ${providerId}: ${wordsOf(cause)}`, { retry: true, cause })
}

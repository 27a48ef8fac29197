import { type SetTimer, systemTimer } from '../../runtime/clock.ts'
import { Failure, wordsOf } from '../../runtime/errors.ts'
import type { Target, TargetChange } from '../targets/target.ts'
import { type Connection, connection, type ConnectionOptions, type Opened } from './connection.ts'

export type Clusters<C extends Opened> = {
	/**
	 * Runs a request on the cluster of a provider, which stays open until the request has ended, even if its target changes or is removed.
	 *
	 * @param act a long request, such as a stream, must end when `replaced` is aborted
	 * @throws Failure CLUSTER_UNREACHABLE with the provider and the reason if the cluster cannot be opened
	 */
	use<T>(providerId: string, act: (cluster: C, replaced: AbortSignal) => Promise<T>): Promise<T>
	/** Opens the cluster of a target that was added, opens it again if the target has changed, and closes it if it was removed. */
	apply(change: TargetChange): void
	/** Closes all clusters, also those in use. */
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
		async use(providerId, act) {
			const slot = connections.get(providerId)
			if (!slot) throw unreachable(providerId, 'it was removed')
			const borrowed = await slot.borrow()
			if ('fault' in borrowed) throw unreachable(providerId, borrowed.fault)
			try {
				return await act(borrowed.cluster, borrowed.replaced)
			} finally {
				borrowed.release()
			}
		},
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
	return new Failure('CLUSTER_UNREACHABLE', `the cluster of provider ${providerId}: ${wordsOf(cause)}`, { retry: true, cause })
}

/** The part of an event of viola's stream that shows which node configs exist. */
export type StreamChange = { event: 'node-config' | 'deleted'; nodeName: string } | { event: 'reset' | 'synced' }

/** Follows the stream across connections, and records which node configs exist. */
export type StreamFollower = {
	/** The `Last-Event-ID` for the next connection; undefined if it must not send one. */
	readonly lastEventId: string | undefined
	/** Must be called before each connection. */
	connect(): void
	/**
	 * Handles an event.
	 *
	 * @param id of the event, if it has one
	 * @returns the nodes whose node configs no longer exist: for `deleted` its node, and for `synced` the nodes that were not sent again
	 */
	take(change: StreamChange, id?: string): string[]
	/** Forgets the id, so that the next connection receives everything. */
	forget(): void
}

/** @param nodeNames nodes whose node configs are already known, for example from a database */
export function createStreamFollower(nodeNames: Iterable<string> = []): StreamFollower {
	const known = new Set(nodeNames)
	let lastEventId: string | undefined
	/** The node configs that have not been sent again; undefined if the stream only sends changes. */
	let unconfirmed: Set<string> | undefined
	const startOver = () => {
		lastEventId = undefined
		unconfirmed = new Set(known)
	}
	const remove = (nodeNames: Iterable<string>) => {
		const gone = [...nodeNames].filter(nodeName => known.delete(nodeName))
		for (const nodeName of gone) unconfirmed?.delete(nodeName)
		return gone
	}
	const goneBy = (change: StreamChange): string[] => {
		switch (change.event) {
			case 'reset':
				startOver()
				return []
			case 'node-config':
				known.add(change.nodeName)
				unconfirmed?.delete(change.nodeName)
				return []
			case 'deleted':
				return remove([change.nodeName])
			case 'synced': {
				const gone = remove(unconfirmed ?? [])
				unconfirmed = undefined
				return gone
			}
		}
	}
	return {
		get lastEventId() {
			return lastEventId
		},
		connect() {
			if (lastEventId === undefined) startOver()
			else unconfirmed = undefined
		},
		take(change, id) {
			const gone = goneBy(change)
			if (id !== undefined) lastEventId = id
			return gone
		},
		forget: () => {
			lastEventId = undefined
		},
	}
}

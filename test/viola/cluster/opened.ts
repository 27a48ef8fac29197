import type { Opened } from '../../../viola/cluster/connection.ts'

/** An open cluster whose readiness the test decides. */
export type PlayedCluster = Opened & { name: string; becomeReady(): void; isClosed(): boolean }

export function playedCluster(name: string, server = 'https://biz'): PlayedCluster {
	const { promise: ready, resolve: becomeReady } = Promise.withResolvers<void>()
	let isClosed = false
	const close = async () => {
		isClosed = true
	}
	return { name, server, ready, becomeReady, close, isClosed: () => isClosed }
}

/** Waits until everything that is due in this turn of the event loop has run. */
export function settled(): Promise<void> {
	return new Promise(resolve => setImmediate(resolve))
}

/** A cluster for the duration of one request. */
export type Borrowed<C> = {
	readonly cluster: C
	/** Must be called when the request has ended. */
	release(): void
}

export type Shared<C> = {
	readonly cluster: C
	/** @param onReplaced called if another connection replaces this one before the release */
	borrow(onReplaced?: () => void): Borrowed<C>
	/** Closes the cluster when its last request has ended; `now`: immediately. No request may borrow it afterwards. */
	retire(now?: boolean): void
}

/** Counts the requests that use a cluster, so that it is closed once, after the last of them. */
export function share<C>(cluster: C, close: (cluster: C) => void): Shared<C> {
	const users = new Set<{ onReplaced: () => void }>()
	let isRetired = false
	let isClosed = false
	const closeIf = (isDue: boolean) => {
		if (!isDue || isClosed) return
		isClosed = true
		close(cluster)
	}
	return {
		cluster,
		borrow: (onReplaced = () => {}) => {
			const user = { onReplaced }
			users.add(user)
			const release = () => {
				users.delete(user)
				closeIf(isRetired && users.size === 0)
			}
			return { cluster, release }
		},
		retire: (now = false) => {
			const told = isRetired ? [] : [...users]
			isRetired = true
			for (const { onReplaced } of told) onReplaced()
			closeIf(now || users.size === 0)
		},
	}
}

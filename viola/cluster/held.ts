/** A cluster for the duration of one request. */
export type Borrowed<C> = {
	readonly cluster: C
	/** Aborted when another connection has taken the place of this one, which stays usable. */
	readonly replaced: AbortSignal
	/** Must be called once, when the request has ended. */
	release(): void
}

export type Held<C> = {
	readonly cluster: C
	borrow(): Borrowed<C>
	/** Closes the cluster when its last request has ended; `now`: immediately. No request may borrow it afterwards. */
	retire(now?: boolean): void
}

/** Counts the requests that use a cluster, so that it is closed once, after the last of them. */
export function hold<C>(cluster: C, close: (cluster: C) => void): Held<C> {
	const replaced = new AbortController()
	let users = 0
	let isClosed = false
	const closeIf = (isDue: boolean) => {
		if (!isDue || isClosed) return
		isClosed = true
		close(cluster)
	}
	return {
		cluster,
		borrow: () => {
			users++
			const release = () => {
				users--
				closeIf(users === 0 && replaced.signal.aborted)
			}
			return { cluster, replaced: replaced.signal, release }
		},
		retire: (now = false) => {
			replaced.abort(new Error('the connection to the biz cluster is replaced or closed'))
			closeIf(now || users === 0)
		},
	}
}

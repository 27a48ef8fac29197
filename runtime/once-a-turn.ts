/** @returns what asks for `act`: everything that happens in one turn of the event loop asks for it once, and it is done at the end of that turn */
export function onceATurn(act: () => void): () => void {
	let isDue = false
	return () => {
		if (isDue) return
		isDue = true
		queueMicrotask(() => {
			isDue = false
			act()
		})
	}
}

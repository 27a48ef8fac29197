/** @returns a function that schedules `act`: all calls within one turn of the event loop run it once, at the end of that turn */
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

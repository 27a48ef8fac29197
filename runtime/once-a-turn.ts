/** @returns a function that schedules `act` as a microtask; calls before that microtask runs do not schedule another one */
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

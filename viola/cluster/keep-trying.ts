import type { SetTimer } from '../../runtime/clock.ts'

type Options = {
	/** Ends the attempts. */
	signal: AbortSignal
	onFailure: (error: unknown) => void
	setTimer: SetTimer
	waitMs: number
}

/**
 * Calls `act` until it succeeds, with a wait after each failure. Nothing is reported after `signal` is aborted.
 *
 * @returns resolves when the first attempt has ended, whatever its result
 */
export async function keepTrying(act: () => Promise<void>, { signal, onFailure, setTimer, waitMs }: Options): Promise<void> {
	let cancel = () => {}
	const attempt = async () => {
		try {
			await act()
		} catch (error) {
			if (signal.aborted) return
			onFailure(error)
			cancel = setTimer(() => void attempt(), waitMs)
		}
	}
	signal.addEventListener('abort', () => cancel(), { once: true })
	await attempt()
}

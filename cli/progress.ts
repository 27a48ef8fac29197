import { systemTimer } from '../runtime/clock.ts'
import { clipCells } from './render/cells.ts'
import type { World } from './world.ts'

const quietMs = 2_000
const redrawMs = 1_000
const repeatMs = 30_000
const CLEAR = '\r\u001b[K'

/** Waits for `work`, and says on standard error what is waited for once that takes longer than 2 s. */
export type Progress = <T>(words: string | (() => string), work: Promise<T>) => Promise<T>

/**
 * On a terminal one line that is redrawn and taken away at the end; elsewhere a line now and then.
 *
 * @returns besides, what takes the line away before something else is written; it comes again by itself
 */
export function progressOf({ err, now }: Pick<World, 'err' | 'now'>): { progress: Progress; clear: () => void } {
	let drawn = false
	const clear = () => {
		if (drawn) err.write(CLEAR)
		drawn = false
	}
	const draw = (said: string) => {
		err.write(err.isTerminal ? `${CLEAR}${clipCells(said, err.size().columns - 1, '')}` : `${said}\n`)
		drawn = err.isTerminal
	}
	const progress: Progress = async (words, work) => {
		const began = now()
		const tick = () => {
			draw(`${typeof words === 'string' ? words : words()} … ${Math.round((now() - began) / 1_000)} s`)
			cancel = systemTimer(tick, err.isTerminal ? redrawMs : repeatMs)
		}
		let cancel = systemTimer(tick, quietMs)
		try {
			return await work
		} finally {
			cancel()
			clear()
		}
	}
	return { progress, clear }
}

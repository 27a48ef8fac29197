import { systemTimer } from '../../runtime/clock.ts'
import { clipCells } from '../render/cells.ts'
import type { CliIo } from '../model/io.ts'

const quietMs = 2_000
const redrawMs = 1_000
const repeatMs = 30_000
const CLEAR = '\r\u001b[K'

/** Waits for `work`. If that takes longer than 2 s, prints on standard error what the program is waiting for. */
export type Progress = <T>(words: string | (() => string), work: Promise<T>) => Promise<T>

/**
 * On a terminal, shows one line, which is redrawn and finally removed; otherwise prints a line every 30 s.
 *
 * @returns also `clear`, which removes the line before other output; the line reappears automatically
 */
export function progressOf({ err, now }: Pick<CliIo, 'err' | 'now'>): { progress: Progress; clear: () => void } {
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

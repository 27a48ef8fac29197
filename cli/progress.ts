import { systemTimer } from '../runtime/clock.ts'
import type { World } from './world.ts'

const quietMs = 2_000
const redrawMs = 1_000
const repeatMs = 30_000

/** Waits for `work`, and says on standard error what is waited for once that takes longer than 2 s. */
export type Progress = <T>(words: string | (() => string), work: Promise<T>) => Promise<T>

/** On a terminal one line that is redrawn and taken away at the end; elsewhere a line now and then. */
export function progressOf({ err, now }: Pick<World, 'err' | 'now'>): Progress {
	return async (words, work) => {
		const began = now()
		let drawn = false
		let cancel = () => {}
		const draw = () => {
			const said = `${typeof words === 'string' ? words : words()} … ${Math.round((now() - began) / 1_000)} s`
			err.write(err.isTerminal ? `\r\u001b[K${said.slice(0, err.size().columns - 1)}` : `${said}\n`)
			drawn = true
			cancel = systemTimer(draw, err.isTerminal ? redrawMs : repeatMs)
		}
		cancel = systemTimer(draw, quietMs)
		try {
			return await work
		} finally {
			cancel()
			if (drawn && err.isTerminal) err.write('\r\u001b[K')
		}
	}
}

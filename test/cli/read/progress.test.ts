import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { progressOf } from '../../../cli/read/progress.ts'

/** Tests what is printed while an operation takes time. */

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function stage(isTerminal: boolean) {
	const said: string[] = []
	const err = { write: (text: string) => void said.push(text), isTerminal, size: () => ({ columns: 20, rows: 24 }) }
	return { said, ...progressOf({ err, now: Date.now }) }
}

const CLEAR = '\r\u001b[K'

test('an operation that ends within 2 s is not reported', async () => {
	const { said, progress } = stage(true)
	const work = Promise.withResolvers<string>()
	const done = progress('reading', work.promise)
	await vi.advanceTimersByTimeAsync(1_900)
	work.resolve('read')
	expect(await done).toBe('read')
	expect(said).toEqual([])
})

test('on a terminal, the progress is one line that is cleared and never exceeds the width', async () => {
	const { said, progress, clear } = stage(true)
	const work = Promise.withResolvers<void>()
	let what = 'reading'
	const done = progress(() => what, work.promise)
	await vi.advanceTimersByTimeAsync(2_000)
	what = 'reading very many node configs'
	await vi.advanceTimersByTimeAsync(1_000)
	clear()
	clear()
	await vi.advanceTimersByTimeAsync(1_000)
	work.resolve()
	await done
	await vi.advanceTimersByTimeAsync(60_000)
	const long = `${CLEAR}reading very many n`
	expect(said).toEqual([`${CLEAR}reading … 2 s`, long, CLEAR, long, CLEAR])
})

test('without a terminal, the progress is printed as a line at intervals', async () => {
	const { said, progress } = stage(false)
	const work = Promise.withResolvers<void>()
	const done = progress('waiting', work.promise)
	await vi.advanceTimersByTimeAsync(40_000)
	work.reject(new Error('no'))
	await expect(done).rejects.toThrow('no')
	await vi.advanceTimersByTimeAsync(60_000)
	expect(said).toEqual(['waiting … 2 s\n', 'waiting … 32 s\n'])
})

import { expect, test } from 'vitest'
import { createTurns } from '../../runtime/turns.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

test('work with the same key runs one after the other, and other work does not wait', async () => {
	const log: string[] = []
	const inTurn = createTurns()
	const first = Promise.withResolvers<void>()
	const work =
		(name: string, until: Promise<void> = Promise.resolve()) =>
		async () => {
			log.push(`${name} begins`)
			await until
			log.push(`${name} ends`)
			return name
		}
	const all = [inTurn('a', work('a1', first.promise)), inTurn('a', work('a2')), inTurn('b', work('b1'))]
	await turn()
	expect(log).toEqual(['a1 begins', 'b1 begins', 'b1 ends'])
	first.resolve()
	expect(await Promise.all(all)).toEqual(['a1', 'a2', 'b1'])
	expect(log.slice(3)).toEqual(['a1 ends', 'a2 begins', 'a2 ends'])
})

test('work that fails does not fail the work after it', async () => {
	const inTurn = createTurns()
	const failed = inTurn('a', async () => Promise.reject(new Error('broken')))
	const next = inTurn('a', async () => 'next')
	await expect(failed).rejects.toThrow('broken')
	expect(await next).toBe('next')
})

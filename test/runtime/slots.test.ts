import { expect, test } from 'vitest'
import { createSlots } from '../../runtime/slots.ts'

/** Work that ends when the test ends it, and records when it began. */
function gate(begun: string[], name: string) {
	const { promise, resolve, reject } = Promise.withResolvers<string>()
	const work = () => {
		begun.push(name)
		return promise
	}
	return { work, end: () => resolve(name), fail: () => reject(new Error(name)) }
}

const turn = () => new Promise(resolve => setImmediate(resolve))

test('the number of slots limits the work that runs, and the rest begins in order', async () => {
	const begun: string[] = []
	const slots = createSlots(2)
	const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => gate(begun, name)) as [ReturnType<typeof gate>, ...ReturnType<typeof gate>[]]
	const all = [a, b, c, d].map(one => slots.run(one?.work ?? (async () => '')))
	await turn()
	expect(begun).toEqual(['a', 'b'])
	b?.end()
	await turn()
	expect(begun).toEqual(['a', 'b', 'c'])
	for (const one of [a, c, d]) one?.end()
	expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd'])
})

test('work that fails frees its slot', async () => {
	const slots = createSlots(1)
	await expect(slots.run(async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
	expect(await slots.run(async () => 'next')).toBe('next')
})

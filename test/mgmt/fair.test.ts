import { expect, test } from 'vitest'
import { fairly } from '../../mgmt/fair.ts'

/** Starts keys that stay in progress until `end` is called for them. */
function start(most: number) {
	const added: string[] = []
	const inWork = new Map<string, () => void>()
	const work = (key: string) => new Promise<void>(resolve => inWork.set(key, resolve))
	const fair = fairly(work, key => void added.push(key), most)
	const begin = (key: string) => fair(key, new AbortController().signal)
	const end = async (key: string) => {
		inWork.get(key)?.()
		inWork.delete(key)
		await new Promise(setImmediate)
	}
	return { added, begin, end, inWork: () => [...inWork.keys()] }
}

test('each namespace has its own limit of keys in progress, and the waiting keys are added again in order', async () => {
	const { added, begin, end, inWork } = start(2)
	const begun = ['a/1', 'a/2', 'a/3', 'a/4', 'a/3', 'b/1'].map(begin)
	expect(inWork()).toEqual(['a/1', 'a/2', 'b/1'])
	expect(await begun[2]).toBeUndefined()
	await end('a/2')
	expect(added).toEqual(['a/3'])
	void begin('a/3')
	await end('b/1')
	await end('a/1')
	await end('a/3')
	expect(added).toEqual(['a/3', 'a/4'])
	void begin('a/4')
	expect(inWork()).toEqual(['a/4'])
})

test('a key that fails frees its slot', async () => {
	const added: string[] = []
	const fair = fairly(
		() => Promise.reject(new Error('away')),
		key => void added.push(key),
		1,
	)
	await expect(fair('a/1', new AbortController().signal)).rejects.toThrow('away')
	await expect(fair('a/2', new AbortController().signal)).rejects.toThrow('away')
	expect(added).toEqual([])
})

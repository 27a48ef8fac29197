import { describe, expect, test } from 'vitest'
import { type HardTime, soon, startWorld, story, type WorldOptions } from './hard-times.ts'

/** What only a real etcd and API server can do to a controller. */

const fullEtcd = { etcd: { 'quota-backend-bytes': String(33_554_432) } }

const etcdIsFull: HardTime = async ({ etcd, gate, heard }, change) => {
	expect(await etcd.fill()).toBeGreaterThan(5)
	gate.open()
	const changed = change()
	await soon(() => expect(heard(/database space exceeded/)).toBeGreaterThan(10))
	await etcd.makeRoom()
	await changed
}

const serverIsKilled: HardTime = async ({ plane, gate, heard }, change) => {
	gate.open()
	await plane.killServer()
	const changed = change()
	await soon(() => expect(heard(/cannot be reached/)).toBeGreaterThan(10))
	await plane.startServer()
	await changed
}

describe('whatever befalls etcd and the API server', () => {
	test.each<[title: string, hardTime: HardTime, options?: WorldOptions]>([
		['etcd is full and refuses every write until somebody makes room', etcdIsFull, fullEtcd],
		['the API server is killed in the middle of work, and started anew a while later', serverIsKilled],
	])('%s: nothing is lost, nothing done twice', async (_, hardTime, options) => {
		await story(await startWorld(options), hardTime)
	})
})

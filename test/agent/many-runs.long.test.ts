import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manyRuns } from './many-runs.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** Many runs in one process: a leak would accumulate. */
const isRoot = process.getuid?.() === 0
const RUNS = 1_000
/**
 * Maximum growth in MiB between run 200 and run 1,000, after a full garbage collection. Half a MiB is code that is compiled late; a leak of
 * 1 kB per run would add 0.8 MiB.
 */
const TOLERANCE = { heap: 1, resident: 8 }

describe.skipIf(!isRoot)('many runs (needs root for network namespaces)', () => {
	let host: NodeHost

	beforeAll(async () => {
		host = await nodeHost()
		for (const id of [0, 1, 2])
			await host.ip(`link add ens${id} address fa:16:3e:00:00:0${id} type veth peer name peer${id}\nlink set peer${id} up`)
	})
	afterAll(() => host?.close())

	test(`${RUNS} in one process, including failed ones, leak no file descriptor, file or memory`, async () => {
		const { descriptors, memory, leftBehind } = await manyRuns(host, RUNS)
		process.stdout.write(`${RUNS} runs: heap +${memory.heap.toFixed(2)} MiB, resident set +${memory.resident.toFixed(1)} MiB\n`)
		expect(descriptors.atLast).toBe(descriptors.atFirst)
		expect(leftBehind).toEqual([])
		expect(memory.heap).toBeLessThan(TOLERANCE.heap)
		expect(memory.resident).toBeLessThan(TOLERANCE.resident)
	})
})

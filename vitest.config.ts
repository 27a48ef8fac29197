import { defineConfig } from 'vitest/config'

/** Parts of the suite, from the quickest to the most real; `test/parts.ts` says what each stands on. Times are patience, in milliseconds. */
export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: 'pure',
					include: ['test/**/*.test.ts'],
					exclude: ['test/**/*.{played,kernel,cluster,vm,lab,long}.test.ts'],
					testTimeout: 60_000,
					hookTimeout: 60_000,
					maxWorkers: '100%', // by itself one core less than there are, which is one of two
				},
			},
			part('played', 600_000, 2),
			// Each in namespaces of its own, and most of their time is waiting for silence.
			part('kernel', 120_000, 2),
			part('cluster', 120_000),
			part('lab', 600_000),
			part('vm', 900_000),
			part('long', 3_600_000),
		],
	},
})

/** What shares the machine's one kernel, ports and cores runs one file after the other. */
function part(name: string, patienceMs: number, maxWorkers = 1) {
	const include = [`test/**/*.${name}.test.ts`]
	return { test: { name, include, testTimeout: patienceMs, hookTimeout: 2 * patienceMs, maxWorkers } }
}

import { defineConfig } from 'vitest/config'

/** Parts of the suite, from the quickest to the most real; `test/parts.ts` says what each stands on. Times are patience, in milliseconds. */
export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: 'pure',
					include: ['test/**/*.test.ts'],
					exclude: ['test/**/*.{process,played,kernel,cluster,vm,lab,long}.test.ts'],
					testTimeout: 60_000,
					hookTimeout: 60_000,
					maxWorkers: '100%', // by itself one core less than there are, which is one of two
				},
			},
			part('process', 60_000, 2),
			part('played', 600_000, 2),
			part('kernel', 120_000, 3),
			part('cluster', 120_000, 2),
			part('lab', 600_000, 2),
			part('vm', 900_000, 2),
			part('long', 3_600_000, 2),
		],
	},
})

/** Files run beside each other: each has namespaces, folders and ports of its own, and much of their time is waiting. */
function part(name: string, patienceMs: number, maxWorkers: number) {
	const include = [`test/**/*.${name}.test.ts`]
	return { test: { name, include, testTimeout: patienceMs, hookTimeout: 2 * patienceMs, maxWorkers } }
}

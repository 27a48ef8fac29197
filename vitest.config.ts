import { defineConfig } from 'vitest/config'

/** Parts of the suite, from the quickest to the most real. `test/parts.ts` says what each needs. */
export default defineConfig({
	test: {
		reporters: ['default'],
		testTimeout: 60_000,
		hookTimeout: 300_000,
		projects: [
			{ test: { name: 'pure', include: ['test/**/*.test.ts'], exclude: ['test/**/*.{kernel,cluster,vm,lab}.test.ts'] } },
			{ test: { name: 'kernel', include: ['test/**/*.kernel.test.ts'], testTimeout: 120_000 } },
			{ test: { name: 'cluster', include: ['test/**/*.cluster.test.ts'], testTimeout: 120_000, fileParallelism: false } },
			{ test: { name: 'lab', include: ['test/**/*.lab.test.ts'], testTimeout: 600_000, hookTimeout: 1_200_000, fileParallelism: false } },
			{ test: { name: 'vm', include: ['test/**/*.vm.test.ts'], testTimeout: 900_000, hookTimeout: 1_200_000, fileParallelism: false } },
		],
	},
})

import { defineConfig } from 'vitest/config'

/** Patience, in milliseconds, and no measure of anything: a machine may stand still for a while, or be busy with others. */
const patience = { testTimeout: 600_000, hookTimeout: 1_200_000, expect: { poll: { timeout: 120_000 } } }

/** Parts of the suite, from the quickest to the most real; `test/parts.ts` says what each stands on. */
export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: 'pure',
					include: ['test/**/*.test.ts'],
					exclude: ['test/**/*.{process,played,kernel,cluster,vm,lab,long}.test.ts'],
					...patience,
					isolate: false, // what is pure leaves nothing behind, and loading the same modules for every file takes a third of the time
					maxWorkers: '100%', // by itself one core less than there are, which is one of two
				},
			},
			part('process', 2),
			part('played', 2),
			part('kernel', 3),
			part('cluster', 2),
			part('lab', 2),
			part('vm', 2),
			part('long', 2, { testTimeout: 3_600_000 }),
		],
	},
})

/** Files run beside each other: each has namespaces, folders and ports of its own, and much of their time is waiting. */
function part(name: string, maxWorkers: number, ownPatience = {}) {
	return { test: { ...patience, ...ownPatience, name, include: [`test/**/*.${name}.test.ts`], maxWorkers } }
}

import { defineConfig } from 'vitest/config'

/** Timeouts in milliseconds. They are no measure of anything: a machine may stall for a while, or be busy with other work. */
const patience = { testTimeout: 600_000, hookTimeout: 1_200_000, expect: { poll: { timeout: 120_000 } } }

/** The seed of every property of this run, printed so that a failed run can be repeated. @see test/seed.ts */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
if (!Number.isInteger(seed)) throw new Error(`SEED is not a whole number: ${process.env.SEED}`)
process.stdout.write(`SEED=${seed}\n`)
const properties = { provide: { seed }, setupFiles: ['test/seed.ts'] }

/** Parts of the suite, from the fastest to the most realistic; `test/parts.ts` says what each depends on. */
export default defineConfig({
	test: {
		projects: [
			{
				test: {
					name: 'pure',
					include: ['test/**/*.test.ts'],
					exclude: ['test/**/*.{process,played,kernel,cluster,vm,lab,long,mutation}.test.ts'],
					...patience,
					...properties,
					isolate: false, // pure tests leave no state behind, and loading the same modules for every file takes a third of the time
					maxWorkers: '100%', // the default is one less than the number of cores, which is one of two
				},
			},
			part('process', 2),
			part('played', 2),
			part('kernel', 3),
			part('cluster', 2),
			part('lab', 2),
			part('vm', 2),
			part('long', 2, { testTimeout: 3_600_000 }),
			part('mutation', 1, { testTimeout: 3_600_000 }),
		],
	},
})

/** Files run in parallel: each has separate namespaces, folders and ports, and spends much of its time waiting. */
function part(name: string, maxWorkers: number, ownPatience = {}) {
	return { test: { ...patience, ...properties, ...ownPatience, name, include: [`test/**/*.${name}.test.ts`], maxWorkers } }
}

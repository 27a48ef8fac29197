import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** The duration of each file in its first run, in milliseconds, because later runs end at the first failure. */
const took = new Map<string, number>()

/** Runs quick files first: most mutants are detected immediately, and then the rest need not run. */
class QuickFirst extends BaseSequencer {
	override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
		return files.toSorted((a, b) => this.timeOf(a) - this.timeOf(b))
	}

	private timeOf({ moduleId }: TestSpecification): number {
		const known = took.get(moduleId) ?? this.ctx.cache.getFileTestResults(`:${relative(this.ctx.config.root, moduleId)}`)?.duration
		if (known !== undefined) took.set(moduleId, known)
		return known ?? 0
	}
}

/** The pure tests of the mutation run, without those that read sources or prose, because these would detect any change. */
export default defineConfig({
	test: {
		include: ['test/**/*.test.ts'],
		exclude: [
			'test/**/*.{process,played,kernel,cluster,vm,lab,long,mutation}.test.ts',
			'test/house.test.ts',
			'test/{prose,docs}/**',
			'test/runtime/kube/public-face.test.ts',
		],
		setupFiles: ['test/mutation/setup.ts'],
		isolate: false,
		sequence: { sequencer: QuickFirst },
		testTimeout: 600_000,
		hookTimeout: 600_000,
	},
})

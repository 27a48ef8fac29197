import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import type { TestSpecification } from 'vitest/node'
import { BaseSequencer } from 'vitest/node'

/** How long each file took when it was first seen, in milliseconds: later runs end at the first failure. */
const took = new Map<string, number>()

/** Quick files first: most mutants are noticed immediately, and then the rest need not run. */
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

/** The pure tests as the mutation run has them: those that read sources or prose, and not what the code does, would notice any change. */
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

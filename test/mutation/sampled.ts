import { readFileSync } from 'node:fs'
import type { CheckResult } from '@stryker-mutator/api/check'
import type { Mutant, MutantResult } from '@stryker-mutator/api/core'
import { idOf } from './mutants.ts'

/** Plugins for Stryker. */

/** Runs only the mutants that are listed in the file `MUTATION_SAMPLE`. */
class Sampled {
	private readonly ids = new Set<string>(JSON.parse(readFileSync(process.env.MUTATION_SAMPLE ?? '', 'utf8')))

	async init(): Promise<void> {}

	async check(mutants: Mutant[]): Promise<Record<string, CheckResult>> {
		return Object.fromEntries(mutants.map(mutant => [mutant.id, this.ids.has(idOf(mutant)) ? passed : left]))
	}

	/** Uses one group, because there is nothing to compile. */
	async group(mutants: Mutant[]): Promise<string[][]> {
		return [mutants.map(({ id }) => id)]
	}
}

const passed = { status: 'passed' } as CheckResult
const left = { status: 'compileError', reason: 'not in the sample' } as CheckResult

/** Reports the progress of the run. */
class Progress {
	private count = 0

	onMutantTested({ status }: MutantResult): void {
		if (status === 'CompileError' || ++this.count % 50 !== 0) return
		process.stdout.write(`mutation: ${this.count} have run\n`)
	}
}

/** Read by Stryker. */
export const strykerPlugins = [
	{ kind: 'Checker', name: 'sampled', injectableClass: Sampled },
	{ kind: 'Reporter', name: 'counted', injectableClass: Progress },
]

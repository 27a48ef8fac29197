import { excluded } from './excluded.ts'
import { type Change, isNamedBy, mutantsOf, outdated, sampled, words } from './mutants.ts'
import { bar, filesInScope, sampleSize } from './scope.ts'
import { isNoticed, type Statuses, statusesOf } from './stryker.ts'
import { rejectedByTypes } from './types.ts'

/**
 * `node test/mutation/run.ts [FILE …]`: changes one expression after the other and runs the pure tests that reach it. Exits with 0 if the
 * tests detect enough of the changes. `SEED` selects the sample, `MUTANTS` sets its size or is `all`, `WORKERS` is the number of processes.
 */
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
process.env.SEED = String(seed) // also selects the cases of the properties
process.env.NODES ??= '100'

const files = process.argv.length > 2 ? process.argv.slice(2) : filesInScope()
const all = await mutantsOf(files)
const counted = all.filter(mutant => !excluded.some(entry => isNamedBy(entry, mutant)))
const size = process.env.MUTANTS === 'all' ? counted.length : Number(process.env.MUTANTS ?? sampleSize)
const sample = sampled(counted, size, seed)

const started = Date.now()
say(
	`${sample.length} of ${counted.length} mutants of ${files.length} files, SEED=${seed}; ${all.length - counted.length} are excluded by name`,
)
report(await statusesOf(sample))

function report(statuses: Statuses): void {
	const unnoticed = sample.filter(({ id }) => !isNoticed(statuses.get(id)))
	const rejected = rejectedByTypes(unnoticed)
	const missed = unnoticed.filter(mutant => !rejected.includes(mutant))
	const stale = outdated(files, all)
	for (const mutant of missed) say(`${placeOf(mutant)}  ${words(mutant)}  (${mutant.kind}, ${statuses.get(mutant.id)?.status})`)
	for (const folder of new Set(sample.map(folderOf))) {
		say(`${folder}: ${figure(of(folder, sample), of(folder, missed))}`)
	}
	for (const { file, code, change } of stale) say(`no mutant matches ${file}: ${code}: ${change}; correct or remove it in excluded.ts`)
	const minutes = ((Date.now() - started) / 60_000).toFixed(1)
	say(`the tests killed ${sample.length - unnoticed.length}, and the type check ${rejected.length} more`)
	say(`killed ${figure(sample, missed)} in ${minutes} min, at least ${bar * 100} % are required; SEED=${seed}`)
	process.exitCode = 1 - missed.length / sample.length >= bar && stale.length === 0 ? 0 : 1
}

function figure(mutants: readonly Change[], missed: readonly Change[]): string {
	const killed = mutants.length - missed.length
	return `${killed} of ${mutants.length} (${((100 * killed) / mutants.length).toFixed(1)} %)`
}

function of(folder: string, mutants: readonly Change[]): Change[] {
	return mutants.filter(mutant => folderOf(mutant) === folder)
}

function folderOf({ file }: Change): string {
	return file.slice(0, file.lastIndexOf('/'))
}

function placeOf({ file, line, column }: Change): string {
	return `${file}:${line}:${column}`
}

function say(line: string): void {
	process.stdout.write(`mutation: ${line}\n`)
}

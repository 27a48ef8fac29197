import { spawnSync } from 'node:child_process'

/**
 * `npm run check`: types, lint, house rules and pure tests. Needs no root and no network, and takes less than a minute, because it tests
 * only a tenth as many generated nodes as `npm test`.
 */
process.env.NODES ??= '200'
process.env.PROPERTY_MS ??= '200'

const steps: readonly [what: string, command: string, ...args: string[]][] = [
	['types', 'tsc', '--noEmit', '-p', '.'],
	['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
	['house and pure tests', 'vitest', 'run', '--project', 'pure', '--reporter', 'dot'],
]

const failed = steps.filter(step => !passes(step)).map(([what]) => what)
if (failed.length > 0) process.stderr.write(`check: ${failed.join(', ')} failed; the words of each are above\n`)
process.exitCode = failed.length > 0 ? 1 : 0

function passes([what, command, ...args]: (typeof steps)[number]): boolean {
	const started = Date.now()
	const { status, error } = spawnSync(`node_modules/.bin/${command}`, args, { stdio: 'inherit' })
	const verdict = status === 0 ? 'right' : `wrong${error ? `: ${error.message}` : ''}`
	process.stderr.write(`check: ${what} ${verdict} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`)
	return status === 0
}

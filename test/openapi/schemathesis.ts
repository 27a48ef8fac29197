import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheDir, exists, fingerprint, makeOnce } from '../../lab/base/cache.ts'
import { contained } from '../../lab/base/contained.ts'
import { Missing } from '../../lab/base/missing.ts'
import { step } from '../../lab/base/progress.ts'
import { execa } from 'execa'

/** schemathesis sends generated requests to a server, and checks the responses against the server's OpenAPI document. */

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt')

/**
 * Installs schemathesis in a virtual environment in the cache.
 *
 * @returns the path of its Python interpreter
 * @throws Missing if Python or the package index is not available
 */
export async function installSchemathesis(): Promise<string> {
	const venv = cacheDir(`schemathesis-${fingerprint(await readFile(REQUIREMENTS))}`)
	const python = join(venv, 'bin/python')
	if ((await exists(venv)) && !(await exists(python))) await rm(venv, { recursive: true }) // the Python of the machine was replaced
	await makeOnce(venv, draft => step('installing schemathesis', () => install(draft)))
	return python
}

async function install(draft: string): Promise<void> {
	try {
		await contained(['python3', '-m', 'venv', draft])
		await contained([
			join(draft, 'bin/python'),
			'-m',
			'pip',
			'install',
			'--quiet',
			'--disable-pip-version-check',
			'--requirement',
			REQUIREMENTS,
		])
	} catch (error) {
		const remedy = 'install python3 (3.10 or later) and python3-venv, and make sure that pip can reach PyPI'
		throw new Missing([{ part: `schemathesis (${error instanceof Error ? error.message : String(error)})`, remedy }])
	}
}

export type Run = {
	/** The address of the server: `http://127.0.0.1:8080`. */
	address: string
	/** The bearer token of each request. */
	token: string
	/** Settings in addition to those of every run, in TOML. */
	settings: string
	seed: number
}

/** @returns the exit code, which is 0 if all checks pass for all operations, and the output */
export async function runSchemathesis({ address, token, settings, seed }: Run): Promise<{ exitCode: number | undefined; output: string }> {
	const python = await installSchemathesis()
	const folder = await mkdtemp(join(tmpdir(), 'schemathesis-'))
	const file = join(folder, 'schemathesis.toml')
	await writeFile(file, `${everyRun(token)}\n${settings}`)
	const options = ['--checks', 'all', '--seed', String(seed), '--no-color']
	const argv = ['-m', 'schemathesis.cli', '--config-file', file, 'run', `${address}/openapi.json`, ...options]
	const { exitCode, all } = await execa(python, argv, { cwd: folder, all: true, reject: false, env: { PYTHONUTF8: '1' } })
	await rm(folder, { recursive: true })
	return { exitCode, output: all }
}

/**
 * The settings of every run. A response that does not end is an error after 60 s, and never blocks the run. Event streams are not requested,
 * because no request names `text/event-stream` in its header Accept. The health checks are measures of the machine.
 * Statuses 414 and 431, of a path or a query that is too long, are not in the default list of rejections.
 */
function everyRun(token: string): string {
	return `
continue-on-failure = true
suppress-health-check = ["all"]
request-timeout = 60
headers = { Authorization = "Bearer ${token}" }
generation.database = "none"
checks.negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 414, 415, 422, 428, 429, 431, "5xx"]
`
}

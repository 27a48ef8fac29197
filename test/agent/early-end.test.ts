import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { acquireLock } from '../../agent/host/run-lock.ts'
import { agentFormat } from '../../bundle.ts'
import { AgentReport, type RunConfig } from '../../contract/agent-run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'

/** Runs the agent's minified bundle as a process, and checks what is reported when a run cannot report normally. */
let folder: string
let root: string
const bundled = () => join(folder, 'agent.cjs')

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'mn-early-'))
	await build({ ...agentFormat, entryPoints: [join(import.meta.dirname, '../../agent/main.ts')], outfile: bundled() })
})
beforeEach(() => {
	root = mkdtempSync(join(folder, 'host-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Loaded before the agent: when the agent acquires the host's lock, an unhandled error is thrown. */
const preload = (thrower: string) =>
	`--import=data:text/javascript,${encodeURIComponent(
		`import { Server } from 'node:net'
		const bug = () => Object.assign(new Error('an unexpected\\nvalue of a field'), { token: 'hush' })
		Server.prototype.listen = () => { ${thrower} }`,
	)}`

test.each<[title: string, options: string[], words: RegExp]>([
	['an exception in the run', [preload('throw bug()')], /an unexpected value of a field/],
	['an exception in a callback', [preload('setImmediate(() => { throw bug() })')], /an unexpected value of a field/],
	['an unhandled rejection', [preload('void Promise.reject(bug())')], /an unexpected value of a field/],
])('%s is logged in readable lines and reported', async (_, options, words) => {
	const { code, said, report, lastWords } = await agent(runConfig([]), {}, options)
	expect(code).toBe(1)
	expect(said).toMatch(/^failed +because of a bug of the agent: /)
	expect(said).toMatch(words)
	expect(said).toMatch(/^at +\S.*\d+:\d+\)?$/m)
	expect(Math.max(...said.split('\n').map(line => line.length))).toBeLessThan(600)
	expect(said + JSON.stringify(report) + lastWords).not.toContain('hush')
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'RunFailed', message: expect.stringMatching(words), mode: 'Apply' })
	expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'RunFailed', message: report?.message })
})

test('the report about a bug with an undo on the host states what rolls back the changes', async () => {
	mkdirSync(join(root, 'var/lib/multinic/undo'), { recursive: true })
	writeFileSync(join(root, 'var/lib/multinic/undo/undo.json'), '')
	const { report } = await agent(runConfig([]), {}, [preload('throw bug()')])
	expect(report?.message).toBe(
		'the agent stopped on an unexpected error, the host or the next run rolls back its changes: an unexpected value of a field',
	)
})

test('a run on a host that another run has locked fails and reports the cause', async () => {
	const unlock = await acquireLock(root, runConfig([]))
	const { code, said, report } = await agent(runConfig([])).finally(unlock)
	expect(code).toBe(1)
	expect(said).toMatch(/^failed {10}another run is in progress on this host: generation 1, attempt 1, since [\d:]+\n$/)
	expect(report).toMatchObject({
		outcome: 'Failed',
		reason: 'RunFailed',
		message: expect.stringMatching(/^another run is in progress on this host: /),
	})
})

test.each<RunConfig['mode']>(['Apply', 'Plan', 'Verify', 'Cleanup'])(
	'the report about invalid input of a run in mode %s contains the mode',
	async mode => {
		const { code, report } = await agent(runConfig([{ id: 0, macAddress: 'no' }], { mode }))
		expect(code).toBe(2)
		expect(report).toMatchObject({
			mode,
			outcome: 'Failed',
			reason: 'InvalidConfig',
			message: expect.stringContaining('interfaces[0].macAddress'),
		})
	},
)

test('a report that cannot be delivered is written to the termination message, and the failure is logged', async () => {
	const { code, said, lastWords } = await agent(runConfig([], { commitTimeoutSeconds: 0 }), {
		REPORT_FILE: join(root, 'nowhere/report.json'),
	})
	expect(code).toBe(2)
	expect(said).toMatch(/^not reported .*ENOENT/m)
	expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'InvalidConfig' })
})

describe('the agent', () => {
	const mark = { nodeName: 'worker-1', uid: 'a-uid', generation: 3, attempt: 1, mode: 'Verify' as const }
	const RUN = JSON.stringify({ ...mark, report: { namespace: 'multinic-system', configMap: 'a-run' } })
	const wish = JSON.stringify(runConfig([]))
	type Case = [title: string, code: number, words: RegExp, given: { wish?: string; env?: Record<string, string>; args?: string[] }]
	test.each<Case>([
		['exits with 0 for --help', 0, /^multinic-agent: applies.*\n\n( .*\n+)+Exit status\n( .*\n)+$/, { args: ['--help'] }],
		['exits with 1 on a host without a known backend', 1, /^failed +\S/m, {}],
		['exits with 1 on a host that cannot be locked', 1, /^failed +the lock of this host .*ENOTDIR/m, { env: { HOST_ROOT: '/dev/null' } }],
		['exits with 1 if the report cannot be written', 1, /^not reported .*ENOENT/m, { env: { REPORT_FILE: '/nowhere/report.json' } }],
		['exits with 2 for an unknown flag', 2, /^failed +--dry -x: unknown flag; see --help$/m, { args: ['--dry', '-x'] }],
		['exits with 2 for two formats', 2, /--human and --json exclude each other/, { args: ['--human', '--json'] }],
		['exits with 2 for an invalid environment variable', 2, /HOST_ROOT: /, { env: { HOST_ROOT: 'host' } }],
		['exits with 2 without a destination for the report', 2, /the report has no destination/, { env: { REPORT_FILE: '' } }],
		['exits with 2 for a config that is not JSON', 2, /config\.json is not JSON/, { wish: '{"version":' }],
		['exits with 2 for a missing config', 2, /nowhere\.json cannot be read/, { env: { AGENT_CONFIG: '/nowhere.json' } }],
		['exits with 2 for a config larger than any ConfigMap', 2, /a ConfigMap has at most/, { wish: `"${'x'.repeat(1_048_576)}"` }],
		['exits with 2 for an invalid variable RUN', 2, /RUN: nodeName: /, { env: { RUN: '{}' } }],
		[
			'exits with 2 for a config of another generation than that of the pod',
			2,
			/generation: 1, but this pod was started for 3/,
			{ env: { RUN } },
		],
	])('%s', async (_, code, words, { wish: text = wish, env, args }) => {
		const heard = await agent(text, env, [], args)
		expect(heard.said).toMatch(words)
		expect(heard.code).toBe(code)
		expect(existsSync(join(root, 'var'))).toBe(false)
	})

	test.each<[title: string, text: string, says: RegExp]>([
		['is not JSON', '{', /is not JSON/],
		['is for another generation', wish, /generation: 1, but this pod was started for 3/],
		['has an unknown field', wish.replace('{', '{"more":1,'), /Unrecognized key: "more"/],
	])('names the run from the variable RUN in the report about a config that %s', async (_, text, says) => {
		const { report, lastWords } = await agent(text, { RUN })
		expect(report).toMatchObject({ ...mark, outcome: 'Failed', reason: 'InvalidConfig', changes: 0, message: expect.stringMatching(says) })
		expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject(mark)
	})

	test('exits with 1 and logs the response if the API server rejects the report', async () => {
		const { account, port, close } = await apiServer(403)
		const env = { REPORT_FILE: '', KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port), SERVICE_ACCOUNT: account }
		const { code, said, lastWords } = await agent(wish, env).finally(close)
		expect(said).toMatch(/^not reported +the API server returned 403: no$/m)
		expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'UnknownBackend' })
		expect(said).not.toContain('a-token')
		expect(code).toBe(1)
	})
})

test('--json prints every line as a JSON object, and --human as text, regardless of the environment', async () => {
	const json = await agent('{', { LOG_FORMAT: 'human' }, [], ['--json'])
	for (const line of json.said.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ time: expect.any(String) })
	expect((await agent('{', { LOG_FORMAT: 'json' }, [], ['--human'])).said).toMatch(/^failed +/)
})

/** An API server that sends this status to every client. */
async function apiServer(status: number): Promise<{ account: string; port: number; close(): void }> {
	const account = join(root, 'account')
	mkdirSync(account)
	const key = join(account, 'key.pem')
	const certificate = join(account, 'ca.crt')
	const subject = ['-subj', '/CN=api', '-addext', 'subjectAltName=IP:127.0.0.1']
	execFileSync(
		'openssl',
		['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', certificate, ...subject],
		{ stdio: 'ignore' },
	)
	writeFileSync(join(account, 'token'), 'a-token')
	const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_, answer) =>
		answer.writeHead(status).end('no'),
	)
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
	return { account, port: (server.address() as AddressInfo).port, close: () => server.close() }
}

type Heard = { code: number; said: string; report: AgentReport | undefined; lastWords: string }

/** Runs the agent; a variable with an empty value is not set. */
function agent(wish: RunConfig | string, more: Record<string, string> = {}, options: string[] = [], args: string[] = []): Promise<Heard> {
	const where = { config: join(root, 'config.json'), report: join(root, 'report.json'), lastWords: join(root, 'termination-log') }
	const all = { AGENT_CONFIG: where.config, HOST_ROOT: root, REPORT_FILE: where.report, TERMINATION_LOG: where.lastWords, ...more }
	const env = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
	writeFileSync(where.config, typeof wish === 'string' ? wish : JSON.stringify(wish))
	writeFileSync(where.lastWords, '')
	return new Promise(resolve =>
		execFile(process.execPath, [...options, bundled(), ...args], { env }, (error, stdout, stderr) =>
			resolve({
				code: error ? Number(error.code) : 0,
				said: stdout + stderr,
				report: existsSync(where.report) ? AgentReport.parse(JSON.parse(readFileSync(where.report, 'utf8'))) : undefined,
				lastWords: readFileSync(where.lastWords, 'utf8'),
			}),
		),
	)
}

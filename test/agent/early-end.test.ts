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

/** The agent's minified bundle in its own process, and what is reported when a run cannot report normally. */
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

/** Loaded before the agent: when the agent takes the host's lock, an error is thrown that is not handled. */
const preload = (thrower: string) =>
	`--import=data:text/javascript,${encodeURIComponent(
		`import { Server } from 'node:net'
		const bug = () => Object.assign(new Error('what nobody\\nthought of'), { token: 'hush' })
		Server.prototype.listen = () => { ${thrower} }`,
	)}`

test.each<[title: string, options: string[], words: RegExp]>([
	['an exception of the run', [preload('throw bug()')], /what nobody thought of/],
	['an exception in a callback', [preload('setImmediate(() => { throw bug() })')], /what nobody thought of/],
	['a rejection nobody waits for', [preload('void Promise.reject(bug())')], /what nobody thought of/],
])('%s is logged in readable lines, and reported', async (_, options, words) => {
	const { code, said, report, lastWords } = await agent(runConfig([]), {}, options)
	expect(code).toBe(1)
	expect(said).toMatch(/^failed +by a bug of the agent: /)
	expect(said).toMatch(words)
	expect(said).toMatch(/^at +\S.*\d+:\d+\)?$/m)
	expect(Math.max(...said.split('\n').map(line => line.length))).toBeLessThan(600)
	expect(said + JSON.stringify(report) + lastWords).not.toContain('hush')
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'RunFailed', message: expect.stringMatching(words), mode: 'Apply' })
	expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'RunFailed', message: report?.message })
})

test('a bug while an undo is on the host is reported with what rolls back the changes', async () => {
	mkdirSync(join(root, 'var/lib/multinic/undo'), { recursive: true })
	writeFileSync(join(root, 'var/lib/multinic/undo/undo.json'), '')
	const { report } = await agent(runConfig([]), {}, [preload('throw bug()')])
	expect(report?.message).toBe(
		'the agent stopped on an unexpected error, the host or the next run rolls back its changes: what nobody thought of',
	)
})

test('a host locked by another run is reported', async () => {
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
	'invalid input of a run of mode %s is reported with that mode',
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

test('a report that cannot be delivered is in the termination message, and the failure is logged', async () => {
	const { code, said, lastWords } = await agent(runConfig([], { commitTimeoutSeconds: 0 }), {
		REPORT_FILE: join(root, 'nowhere/report.json'),
	})
	expect(code).toBe(2)
	expect(said).toMatch(/^not reported .*ENOENT/m)
	expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'InvalidConfig' })
})

describe('the exit status', () => {
	const mark = { nodeName: 'worker-1', uid: 'a-uid', generation: 3, attempt: 1, mode: 'Verify' as const }
	const RUN = JSON.stringify({ ...mark, report: { namespace: 'multinic-system', configMap: 'a-run' } })
	const wish = JSON.stringify(runConfig([]))
	type Case = [title: string, code: number, words: RegExp, given: { wish?: string; env?: Record<string, string>; args?: string[] }]
	test.each<Case>([
		['of a question for help is 0', 0, /^multinic-agent: applies.*\n\n( .*\n+)+Exit status\n( .*\n)+$/, { args: ['--help'] }],
		['of a host that is none we know is 1', 1, /^failed +\S/m, {}],
		['of a host that cannot be locked is 1', 1, /^failed +the lock of this host .*ENOTDIR/m, { env: { HOST_ROOT: '/dev/null' } }],
		['of a report that found no taker is 1', 1, /^not reported .*ENOENT/m, { env: { REPORT_FILE: '/nowhere/report.json' } }],
		['of a flag nobody knows is 2', 2, /^failed +--dry -x: unknown flag; see --help$/m, { args: ['--dry', '-x'] }],
		['of two formats at once is 2', 2, /--human and --json exclude each other/, { args: ['--human', '--json'] }],
		['of a variable that is wrong is 2', 2, /HOST_ROOT: /, { env: { HOST_ROOT: 'host' } }],
		['of a run that nobody would hear of is 2', 2, /the report has no destination/, { env: { REPORT_FILE: '' } }],
		['of a config that is not JSON is 2', 2, /config\.json is not JSON/, { wish: '{"version":' }],
		['of a config that is not there is 2', 2, /nowhere\.json cannot be read/, { env: { AGENT_CONFIG: '/nowhere.json' } }],
		['of a config larger than any ConfigMap is 2', 2, /a ConfigMap has at most/, { wish: `"${'x'.repeat(1_048_576)}"` }],
		['of a RUN that is wrong is 2', 2, /RUN: nodeName: /, { env: { RUN: '{}' } }],
		['of another generation than the pod was started for is 2', 2, /generation: 1, but this pod was started for 3/, { env: { RUN } }],
	])('%s', async (_, code, words, { wish: text = wish, env, args }) => {
		const heard = await agent(text, env, [], args)
		expect(heard.said).toMatch(words)
		expect(heard.code).toBe(code)
		expect(existsSync(join(root, 'var'))).toBe(false)
	})

	test.each<[title: string, text: string, says: RegExp]>([
		['is not JSON', '{', /is not JSON/],
		['is of another generation', wish, /generation: 1, but this pod was started for 3/],
		['has a field nobody knows', wish.replace('{', '{"more":1,'), /Unrecognized key: "more"/],
	])('of a config that %s is reported for the run that the Job names', async (_, text, says) => {
		const { report, lastWords } = await agent(text, { RUN })
		expect(report).toMatchObject({ ...mark, outcome: 'Failed', reason: 'InvalidConfig', changes: 0, message: expect.stringMatching(says) })
		expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject(mark)
	})

	test('of a report that the API server refuses is 1, and the refusal is logged', async () => {
		const { account, port, close } = await apiServer(403)
		const env = { REPORT_FILE: '', KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(port), SERVICE_ACCOUNT: account }
		const { code, said, lastWords } = await agent(wish, env).finally(close)
		expect(said).toMatch(/^not reported +the API server returned 403: no$/m)
		expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'UnknownBackend' })
		expect(said).not.toContain('a-token')
		expect(code).toBe(1)
	})
})

test('--json prints every line as an object, --human none, regardless of the environment', async () => {
	const json = await agent('{', { LOG_FORMAT: 'human' }, [], ['--json'])
	for (const line of json.said.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ time: expect.any(String) })
	expect((await agent('{', { LOG_FORMAT: 'json' }, [], ['--human'])).said).toMatch(/^failed +/)
})

/** An API server that sends the same response to every client. */
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

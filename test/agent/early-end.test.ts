import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { lock } from '../../agent/host/lock.ts'
import { agentFormat } from '../../bundle.ts'
import { AgentReport, type RunConfig } from '../../contract/agent-run.ts'
import { config } from './node-host.ts'

/** The agent's minified bundle as a process of its own, and what is heard of a run that cannot report by itself. */
let folder: string
let root: string
const bundled = () => join(folder, 'agent.mjs')

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'mn-early-'))
	await build({ ...agentFormat, entryPoints: [join(import.meta.dirname, '../../agent/main.ts')], outfile: bundled() })
})
beforeEach(() => {
	root = mkdtempSync(join(folder, 'host-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Loaded before the agent: once it takes the host's lock, something is thrown that nobody waits for. */
const preload = (thrower: string) =>
	`--import=data:text/javascript,${encodeURIComponent(
		`import { Server } from 'node:net'
		const bug = () => Object.assign(new Error('what nobody\\nthought of'), { token: 'hush' })
		Server.prototype.listen = () => { ${thrower} }`,
	)}`

test.each<[title: string, options: string[], hostRoot: string | undefined, words: RegExp]>([
	['an exception of the run', [], '/dev/null', /ENOTDIR/],
	['an exception in a callback', [preload('setImmediate(() => { throw bug() })')], undefined, /what nobody thought of/],
	['a rejection nobody waits for', [preload('void Promise.reject(bug())')], undefined, /what nobody thought of/],
])('%s is told in lines that can be read, and reported', async (_, options, hostRoot = root, words) => {
	const { code, said, report, lastWords } = await agent(config([]), { HOST_ROOT: hostRoot }, options)
	expect(code).toBe(1)
	expect(said).toMatch(/^failed +by a bug of the agent: /)
	expect(said).toMatch(words)
	expect(said).toMatch(/^at +\S.*\d+:\d+\)?$/m)
	expect(Math.max(...said.split('\n').map(line => line.length))).toBeLessThan(600)
	expect(said + JSON.stringify(report) + lastWords).not.toContain('hush')
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'RunFailed', message: expect.stringMatching(words), mode: 'Apply' })
	expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'RunFailed', message: report?.message })
})

test('a bug with the undo on the host says who puts the rest back', async () => {
	mkdirSync(join(root, 'var/lib/multinic/undo'), { recursive: true })
	writeFileSync(join(root, 'var/lib/multinic/undo/undo.json'), '')
	const { report } = await agent(config([]), {}, [preload('throw bug()')])
	expect(report?.message).toBe('a bug ended the agent, and the host or the next run puts back what it changed: what nobody thought of')
})

test('a host that another run holds is reported', async () => {
	const unlock = await lock(root, config([]))
	const { code, said, report } = await agent(config([])).finally(unlock)
	expect(code).toBe(1)
	expect(said).toMatch(/^failed {10}another run is at work on this host: generation 1, attempt 1, since [\d:]+\n$/)
	expect(report).toMatchObject({
		outcome: 'Failed',
		reason: 'RunFailed',
		message: expect.stringMatching(/^another run is at work on this host: /),
	})
})

test.each<RunConfig['mode']>(['Apply', 'Plan', 'Verify', 'Cleanup'])(
	'wrong input of a run of mode %s is reported as of that mode',
	async mode => {
		const { code, report } = await agent(config([{ id: 0, macAddress: 'no' }], { mode }))
		expect(code).toBe(2)
		expect(report).toMatchObject({
			mode,
			outcome: 'Failed',
			reason: 'InvalidConfig',
			message: expect.stringContaining('interfaces[0].macAddress'),
		})
	},
)

test('a report that cannot be handed over is in the termination message, and it is said', async () => {
	const { code, said, lastWords } = await agent(config([], { deadManSeconds: 0 }), { REPORT_FILE: join(root, 'nowhere/report.json') })
	expect(code).toBe(2)
	expect(said).toMatch(/^not reported .*ENOENT/m)
	expect(AgentReport.parse(JSON.parse(lastWords))).toMatchObject({ reason: 'InvalidConfig' })
})

type Heard = { code: number; said: string; report: AgentReport | undefined; lastWords: string }

function agent(wish: RunConfig, more: Record<string, string> = {}, options: string[] = []): Promise<Heard> {
	const env = {
		AGENT_CONFIG: join(root, 'config.json'),
		HOST_ROOT: root,
		REPORT_FILE: join(root, 'report.json'),
		TERMINATION_LOG: join(root, 'termination-log'),
		...more,
	}
	writeFileSync(env.AGENT_CONFIG, JSON.stringify(wish))
	writeFileSync(env.TERMINATION_LOG, '')
	return new Promise(resolve =>
		execFile(process.execPath, [...options, bundled()], { env }, (error, stdout, stderr) =>
			resolve({
				code: error ? Number(error.code) : 0,
				said: stdout + stderr,
				report: existsSync(env.REPORT_FILE) ? AgentReport.parse(JSON.parse(readFileSync(env.REPORT_FILE, 'utf8'))) : undefined,
				lastWords: readFileSync(env.TERMINATION_LOG, 'utf8'),
			}),
		),
	)
}

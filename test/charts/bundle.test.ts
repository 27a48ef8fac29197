import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../../bundle.ts'

/** Tests the bundles of the images, started with the same command as in the images, without other files. */
let outdir: string
beforeAll(async () => {
	outdir = mkdtempSync(join(tmpdir(), 'multinic-bundle-'))
	await bundle(outdir)
}, 60_000)
afterAll(() => rmSync(outdir, { recursive: true, force: true }))

test.each<[file: string, said: string]>([
	['agent.cjs', 'otherwise the report has no destination'],
	['controller.mjs', 'AGENT_IMAGE is required and not set'],
	['viola.mjs', 'VIOLA_CLUSTERS or VIOLA_SECRETS_NAMESPACE is required'],
	['mgmt.mjs', 'kubeconfig /nowhere/.kube/config cannot be read'],
	['uninstall.mjs', 'ON_UNINSTALL is required and not set'],
])('%s starts and reports the missing setting', (file, said) => {
	const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: outdir, env: { HOME: '/nowhere' }, encoding: 'utf8' })
	expect(stdout + stderr).toContain(said)
	expect(status).toBe(2)
})

describe("the agent's image", () => {
	const flags = ['--max-semi-space-size=1']
	const started = (file: string) => spawnSync(process.execPath, [...flags, file], { cwd: outdir, env: {}, encoding: 'utf8' })
	const isUsed = () => {
		const script = `process.exit(new vm.Script(fs.readFileSync('agent.cjs', 'latin1'), { cachedData: fs.readFileSync('agent.code') }).cachedDataRejected ? 1 : 0)`
		return spawnSync(process.execPath, [...flags, '-e', script], { cwd: outdir, env: {} }).status === 0
	}
	const compiled = () => join(outdir, 'agent.code')
	const saysWhatItLacks = { status: 2, stderr: expect.stringContaining('otherwise the report has no destination') }

	test('replays the recorded run; if it fails, record it again with `node bench/agent/record.ts`', () => {
		const { status, stdout, stderr } = started('agent-warm-up.cjs')
		expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
		expect(stdout).toContain('Configured 2/2')
	})

	test('starts with the code that this run compiled', () => {
		expect(isUsed()).toBe(true)
		expect(started('agent-start.cjs')).toMatchObject(saysWhatItLacks)
	})

	test.each<[code: string, write: () => void]>([
		['is missing', () => rmSync(compiled())],
		['is empty', () => writeFileSync(compiled(), '')],
		['is truncated', () => truncateSync(compiled(), 1_000)],
		['was compiled by another V8', () => writeFileSync(compiled(), readFileSync(compiled()).fill(7, 4, 8))],
	])('starts if the compiled code %s', (_, write) => {
		started('agent-warm-up.cjs')
		write()
		expect(started('agent-start.cjs')).toMatchObject(saysWhatItLacks)
	})
})

describe('the kubectl plugin', () => {
	const plugin = (args: string[], env = {}) => {
		const { status, stdout, stderr } = spawnSync(join(outdir, 'kubectl-multinic.cjs'), args, {
			env: { HOME: '/nowhere', PATH: `${dirname(process.execPath)}:${process.env.PATH}`, ...env },
			encoding: 'utf8',
		})
		return { status, stdout, stderr }
	}

	test('is one executable file', () => {
		expect(plugin(['--version'])).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
	})

	test('reports a missing kubeconfig in one line', () => {
		const stderr = expect.stringMatching(/^error: kubeconfig \/nowhere\/\.kube\/config cannot be read: there is no such file[^\n]*\n$/)
		expect(plugin(['get'])).toEqual({ status: 2, stdout: '', stderr })
	})

	test('authenticates with the exec plugin of a kubeconfig', () => {
		const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'one' } }
		const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)], interactiveMode: 'Never' }
		const context = { cluster: 'c', user: 'u' }
		const kubeconfig = {
			'current-context': 'x',
			...{ contexts: [{ name: 'x', context }], clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:9' } }] },
			users: [{ name: 'u', user: { exec } }],
		}
		writeFileSync(join(outdir, 'kubeconfig'), JSON.stringify(kubeconfig))
		const stderr = expect.stringMatching(/^error: https:\/\/127\.0\.0\.1:9 cannot be reached: [^\n]*ECONNREFUSED[^\n]*\n$/)
		expect(plugin(['get', '--kubeconfig', join(outdir, 'kubeconfig')])).toEqual({ status: 1, stdout: '', stderr })
	})

	test('prints no warnings of Node.js, such as the one about SOCKS proxies', () => {
		const cluster = { server: 'https://192.0.2.7', 'proxy-url': 'socks5://127.0.0.1:9' }
		const kubeconfig = {
			'current-context': 'x',
			...{ contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], clusters: [{ name: 'c', cluster }] },
			users: [{ name: 'u', user: { token: 't' } }],
		}
		writeFileSync(join(outdir, 'kubeconfig'), JSON.stringify(kubeconfig))
		const stderr = expect.stringMatching(/^error: https:\/\/192\.0\.2\.7 cannot be reached: [^\n]*ECONNREFUSED[^\n]*\n$/)
		expect(plugin(['get'], { KUBECONFIG: join(outdir, 'kubeconfig') })).toEqual({ status: 1, stdout: '', stderr })
	})

	test('completes through the completion hook of kubectl', () => {
		copyFileSync(join(outdir, 'kubectl-multinic.cjs'), join(outdir, 'kubectl-multinic'))
		const { stdout } = spawnSync(join(outdir, 'kubectl_complete-multinic'), ['get', '-o', 'j'], {
			env: { HOME: '/nowhere', PATH: `${outdir}:${dirname(process.execPath)}:${process.env.PATH}` },
			encoding: 'utf8',
		})
		expect(stdout).toBe('json\n:4\n')
	})
})

test('each Dockerfile uses a file that the bundle contains', () => {
	const text = (name: string) => readFileSync(name, 'utf8')
	expect(text('Dockerfile.agent')).toMatch(/^ENTRYPOINT \["node", .*"\/multinic\/agent-start\.cjs"\]$/m)
	expect(text('Dockerfile.controller')).toContain('CMD ["controller.mjs"]')
})

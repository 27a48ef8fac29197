import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundle } from '../../bundle.ts'

/** What the images run, bundled and started as they start it, with nothing around it. */
let outdir: string
beforeAll(async () => {
	outdir = mkdtempSync(join(tmpdir(), 'multinic-bundle-'))
	await bundle(outdir)
}, 60_000)
afterAll(() => rmSync(outdir, { recursive: true, force: true }))

test.each<[file: string, said: string]>([
	['agent.cjs', 'nobody would hear of this run'],
	['controller.mjs', 'AGENT_IMAGE is required and not set'],
	['viola.mjs', 'VIOLA_CLUSTERS is required and not set'],
	['mgmt.mjs', 'kubeconfig /nowhere/.kube/config cannot be read'],
	['uninstall.mjs', 'ON_UNINSTALL is required and not set'],
])('%s starts, and says what it is not told', (file, said) => {
	const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: outdir, env: { HOME: '/nowhere' }, encoding: 'utf8' })
	expect(stdout + stderr).toContain(said)
	expect(status).toBe(2)
})

test('each Dockerfile takes a file that the bundle has', () => {
	const text = (name: string) => readFileSync(name, 'utf8')
	expect(text('Dockerfile.agent')).toMatch(/^ENTRYPOINT \["node", .*"\/multinic\/agent\.cjs"\]$/m)
	expect(text('Dockerfile.controller')).toContain('CMD ["controller.mjs"]')
})

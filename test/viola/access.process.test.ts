import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { NODE_CONFIGS_PATH } from '../../contract/viola-api.ts'

/** The process, with clients that authenticate in each way. Its biz cluster cannot be reached, so that an accepted request gets 503. */

let folder: string
const file = (name: string, content: string) => {
	writeFileSync(join(folder, 'new'), content)
	renameSync(join(folder, 'new'), join(folder, name))
	return join(folder, name)
}
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'multinic-viola-access-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const digest = createHash('sha256').update('reader-token').digest('hex')
const reader = `- { name: reader, sha256: ${digest}, may: read, providers: [biz] }\n`

async function start(env: Record<string, string>) {
	const lines: Record<string, unknown>[] = []
	const VIOLA_CLUSTERS = file('clusters.yaml', 'biz: { kubeconfig: /nowhere }\nother: { kubeconfig: /nowhere }\n')
	const viola: ChildProcess = spawn(process.execPath, ['viola/main.ts'], {
		env: { VIOLA_ADDR: '127.0.0.1:0', VIOLA_CLUSTERS, ...env },
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	const ended = once(viola, 'exit')
	onTestFinished(async () => {
		viola.kill('SIGTERM')
		await ended
	})
	if (!viola.stdout) throw new Error('no output')
	createInterface(viola.stdout).on('line', line => lines.push(JSON.parse(line)))
	const listening = () => lines.find(({ msg }) => msg === 'listening')
	await expect.poll(listening).toBeDefined()
	const url = `${listening()?.address}${NODE_CONFIGS_PATH}`
	const send = async (token?: string, providerId = 'biz', method = 'GET') => {
		const headers = { 'x-provider-id': providerId, ...(token !== undefined && { authorization: `Bearer ${token}` }) }
		const response = await fetch(url, { method, headers })
		return { status: response.status, body: (await response.json()) as { error: { message: string } } }
	}
	return { send, lines }
}

test('each client may do what the file grants, and a client that is removed from the file is refused without a restart', async () => {
	const { send, lines } = await start({ VIOLA_TOKEN: 'the-token', VIOLA_CLIENTS: file('clients.yaml', reader) })
	const status = async (...request: Parameters<typeof send>) => (await send(...request)).status
	expect(await status('the-token', 'other', 'POST')).toBe(503)
	expect(await status('reader-token')).toBe(503)
	expect(await send('reader-token', 'biz', 'POST')).toMatchObject({
		status: 403,
		body: { error: { code: 'ACCESS_DENIED', message: expect.stringContaining('client reader has no write access to provider biz') } },
	})
	expect(await status('reader-token', 'other')).toBe(403)
	expect(await status()).toBe(401)
	file('clients.yaml', '- { name: reader }\n')
	await expect.poll(() => lines.map(({ level }) => level)).toContain('warn')
	expect(await status('reader-token')).toBe(503)
	file('clients.yaml', '[]\n')
	await expect.poll(() => status('reader-token')).toBe(401)
	expect(await status('the-token')).toBe(503)
	expect(JSON.stringify(lines)).not.toMatch(/the-token|reader-token/)
})

test('with VIOLA_AUTH=none, a client without a token is accepted, with a warning at start', async () => {
	const { send, lines } = await start({ VIOLA_AUTH: 'none' })
	expect((await send()).status).toBe(503)
	const warnings = lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg)
	expect(warnings).toContain('authentication is switched off: every client may read and write everything')
})

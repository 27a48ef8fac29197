import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'

/** `npm run test:k3s` on a machine that cannot run it reports the reason before it starts anything, and exits with 2. */

const node = process.execPath
const options = { reject: false, extendEnv: true, timeout: 60_000 } as const

test('exits with 2 without Docker', async () => {
	const hidden = ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$0" test/k3s.ts', node]
	const env = { HOME: '/nowhere', XDG_RUNTIME_DIR: '/nowhere', DOCKER_HOST: 'unix:///run/docker.sock' }
	const { exitCode, stderr, stdout } = await execa('unshare', hidden, { ...options, env })
	expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
	expect(stderr).toMatch(/missing: Docker: no container runtime answers.*\n {2}do this: install Docker/)
})

test('exits with 2 if Docker cannot reach a registry', async () => {
	const docker = createServer((request, response) => {
		const isInfo = request.url?.endsWith('/info')
		response.writeHead(isInfo ? 200 : 500, { 'content-type': 'application/json' })
		response.end(JSON.stringify(isInfo ? { OperatingSystem: 'Debian' } : { message: 'no route to registry' }))
	})
	await new Promise<void>(resolve => docker.listen(0, '127.0.0.1', resolve))
	onTestFinished(() => void docker.close())
	const { port } = docker.address() as AddressInfo
	const env = { HOME: '/nowhere', DOCKER_HOST: `tcp://127.0.0.1:${port}` }
	const { exitCode, stderr } = await execa(node, ['test/k3s.ts'], { ...options, env })
	expect(exitCode).toBe(2)
	expect(stderr).toMatch(
		/missing: the image rancher\/k3s:v1\.32.*no route to registry.*\n {2}do this: make sure that Docker can reach a registry/,
	)
})

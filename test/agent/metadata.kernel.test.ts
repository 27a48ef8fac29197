import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Heard } from '../../agent/host/metadata.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** OpenStack being asked, in a namespace: a real HTTP server at the metadata service's own address. */
const recorded = JSON.parse(readFileSync(new URL('../fixtures/openstack/metadata/network_data.json', import.meta.url), 'utf8'))
const [, second] = recorded.links
let host: NodeHost

beforeEach(async () => {
	host = await nodeHost()
	await host.ip('addr add 169.254.169.254/32 dev lo')
	put('/sys/class/dmi/id/sys_vendor', 'OpenStack Foundation\n')
})
afterEach(() => host.close())

describe('a service that answers', () => {
	test('is heard', async () => {
		await service('recorded')
		expect(await ask()).toMatchObject({ told: { source: 'metadata service', data: { links: [{}, { mtu: second.mtu }, {}] } } })
	})

	test('is heard though a proxy is set', async () => {
		await service('recorded')
		const proxy = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' }
		expect(await ask({ env: proxy })).toHaveProperty('told')
	})

	test('after the run has ended is waited for', async () => {
		await service('slow')
		expect(await ask({ runs: 300 })).toHaveProperty('told')
	})

	test("is believed before cloud-init's copy", async () => {
		put('/run/cloud-init/instance-data.json', JSON.stringify({ ds: { network_json: { links: [], networks: [] } } }))
		await service('recorded')
		expect(await ask()).toMatchObject({ told: { source: 'metadata service' } })
	})
})

describe('a service that', () => {
	test.each([
		['hangs', 'no answer'],
		['stalls', 'no answer'],
		['breaks', 'aborted'],
		['garbage', 'says something that is not understood'],
		['otherwise', 'says something that is not understood'],
		['empty', 'says something that is not understood'],
		['missing', 'answers 404'],
		['broken', 'answers 500'],
		['elsewhere', 'answers 302'],
		['huge', 'answers with more than 262144 bytes'],
	])('%s: %s', async (behaviour, words) => {
		await service(behaviour)
		expect(await ask()).toEqual({ silent: expect.stringMatching(new RegExp(`^metadata service: .*${words}$`)) })
	})

	test('is not there is not waited for', async () => {
		expect(await ask()).toEqual({ silent: expect.stringMatching(/^metadata service: connect ECONNREFUSED/) })
	})

	test('no route leads to is not waited for', async () => {
		await host.ip('addr del 169.254.169.254/32 dev lo')
		expect(await ask()).toEqual({ silent: expect.stringMatching(/^metadata service: connect ENETUNREACH/) })
	})

	test('takes no call is given up when the run ends', async () => {
		await host.ip('addr del 169.254.169.254/32 dev lo\nlink add void type veth peer name end\nlink set void up\nlink set end up')
		await host.ip('addr add 10.9.9.9/24 dev void\nroute add 169.254.169.254 dev void')
		const { heard, waited } = await asked()
		expect(heard).toEqual({ silent: 'metadata service: no answer' })
		expect(waited < 1_000).toBe(true)
	})

	test("cannot be heard leaves the word to cloud-init's copy", async () => {
		put('/run/cloud-init/instance-data.json', JSON.stringify({ ds: { meta_data: {}, network_json: recorded }, v1: {} }))
		expect(await ask()).toMatchObject({ told: { source: 'copy of cloud-init', data: { links: [{}, { mtu: second.mtu }, {}] } } })
	})
})

/** What is on it is that of Nova; its file system is one that every kernel has. Those of Nova are tried on a machine. */
describe('a config drive', () => {
	beforeEach(context => {
		if (!existsSync('/dev/loop-control')) context.skip('no loop devices here')
		put('/sys/class/dmi/id/sys_vendor', 'QEMU\n')
	})

	test.each(['config-2', 'CONFIG-2'])('labelled %s is read, and left as it was', async label => {
		drive(label, { 'openstack/latest/network_data.json': JSON.stringify(recorded) })
		expect(await ask()).toMatchObject({ told: { source: 'config drive', data: { links: [{}, { mtu: second.mtu }, {}] } } })
		expect(readdirSync(tmpdir()).filter(name => name.startsWith('multinic-drive-'))).toEqual([])
		expect((await host.inside('cat', ['/proc/mounts'])).stdout).not.toContain('multinic-drive-')
	})

	test.each<[string, Record<string, string>, string]>([
		['without network data', { 'openstack/latest/meta_data.json': '{}' }, 'holds no network data'],
		['with garbage', { 'openstack/latest/network_data.json': 'nothing' }, 'says something that is not understood'],
		['with far too much', { 'openstack/latest/network_data.json': `"${'x'.repeat(1_000_000)}"` }, 'says something that is not understood'],
	])('%s is said to be so', async (_, files, words) => {
		drive('config-2', files)
		expect(await ask()).toEqual({ silent: expect.stringMatching(new RegExp(`; config drive: ${words}$`)) })
	})

	test('that cannot be mounted is said to be so, and leaves nothing', async () => {
		put('/dev/disk/by-label/config-2', 'no file system')
		expect(await ask()).toEqual({ silent: expect.stringMatching(/; config drive: mount: [^\n]*device[^\n]*$/) })
		expect(readdirSync(tmpdir()).filter(name => name.startsWith('multinic-drive-'))).toEqual([])
	})
})

describe('nobody is asked', () => {
	test('where nothing suggests OpenStack', async () => {
		put('/sys/class/dmi/id/sys_vendor', 'Amazon EC2\n')
		put('/run/cloud-init/cloud-id', 'aws\n')
		const requests = await service('recorded')
		expect(await ask()).toBeUndefined()
		expect(requests).toEqual([])
	})

	test('but once, where something does', async () => {
		put('/sys/class/dmi/id/sys_vendor', 'QEMU\n')
		put('/run/cloud-init/cloud-id', 'openstack\n')
		const requests = await service('recorded')
		await ask()
		expect(requests).toEqual(['/openstack/latest/network_data.json'])
	})
})

type Asking = { runs?: number; env?: Record<string, string> }

async function ask(how: Asking = {}): Promise<Heard | undefined> {
	return (await asked(how)).heard
}

/** @param how how long the run lasts (milliseconds), and in what environment */
async function asked({ runs = 200, env = {} }: Asking = {}): Promise<{ heard?: Heard; waited: number }> {
	const child = host.start(process.execPath, [join(import.meta.dirname, 'metadata-asked.ts'), String(runs)], {
		HOST_ROOT: host.inner,
		...env,
	})
	let said = ''
	child.stdout?.setEncoding('utf8').on('data', text => {
		said += text
	})
	await once(child, 'close')
	return JSON.parse(said)
}

/** @returns the requests that it gets */
async function service(behaviour: string): Promise<unknown[]> {
	const requests: unknown[] = []
	const child = host.start(process.execPath, [join(import.meta.dirname, 'metadata-server.ts'), behaviour])
	await once(child, 'message')
	child.on('message', request => requests.push(request))
	return requests
}

/** A file in a device's place: `mount` gives it one. */
function drive(label: string, files: Record<string, string>): void {
	for (const [path, text] of Object.entries(files)) put(`/drive/${path}`, text)
	execFileSync('mke2fs', ['-q', '-t', 'ext2', '-L', label, '-d', join(host.root, 'drive'), join(host.root, 'image'), '4m'])
	mkdirSync(join(host.root, 'dev/disk/by-label'), { recursive: true })
	symlinkSync('../../../image', join(host.root, 'dev/disk/by-label', label))
}

function put(path: string, text: string): void {
	mkdirSync(dirname(host.root + path), { recursive: true })
	writeFileSync(host.root + path, text)
}

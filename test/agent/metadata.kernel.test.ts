import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MetadataResult } from '../../agent/openstack/metadata.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** Requests to OpenStack in a network namespace, with a real HTTP server at the address of the metadata service. */
const recorded = JSON.parse(readFileSync(new URL('../fixtures/openstack/metadata/network_data.json', import.meta.url), 'utf8'))
const [, second] = recorded.links
let host: NodeHost

beforeEach(async () => {
	host = await nodeHost()
	await host.ip('addr add 169.254.169.254/32 dev lo')
	put('/sys/class/dmi/id/sys_vendor', 'OpenStack Foundation\n')
})
afterEach(() => host.close())

describe('a metadata service that responds', () => {
	test('is read', async () => {
		await service('recorded')
		expect(await ask()).toMatchObject({ data: { source: 'metadata service', data: { links: [{}, { mtu: second.mtu }, {}] } } })
	})

	test('is read even if a proxy is set', async () => {
		await service('recorded')
		const proxy = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' }
		expect(await ask(proxy)).toHaveProperty('data')
	})

	test('is waited for after the run has ended', async () => {
		await service('slow')
		expect(await ask()).toHaveProperty('data')
	})

	test('takes precedence over the copy of cloud-init', async () => {
		put('/run/cloud-init/instance-data.json', JSON.stringify({ ds: { network_json: { links: [], networks: [] } } }))
		await service('recorded')
		expect(await ask()).toMatchObject({ data: { source: 'metadata service' } })
	})
})

describe('a metadata service', () => {
	test.each([
		['hangs', 'no answer'],
		['stalls', 'no answer'],
		['breaks', 'aborted'],
		['garbage', 'unexpected response'],
		['otherwise', 'unexpected response'],
		['empty', 'unexpected response'],
		['missing', 'returned 404'],
		['broken', 'returned 500'],
		['elsewhere', 'returned 302'],
		['huge', 'returned more than 262144 bytes'],
	])('with behaviour "%s" is reported as unavailable: %s', async (behaviour, words) => {
		await service(behaviour)
		expect(await ask()).toEqual({ unavailable: expect.stringMatching(new RegExp(`^metadata service: .*${words}$`)) })
	})

	test('that is not running is not waited for', async () => {
		expect(await ask()).toEqual({ unavailable: expect.stringMatching(/^metadata service: connect ECONNREFUSED/) })
	})

	test('without a route to it is not waited for', async () => {
		await host.ip('addr del 169.254.169.254/32 dev lo')
		expect(await ask()).toEqual({ unavailable: expect.stringMatching(/^metadata service: connect ENETUNREACH/) })
	})

	test('that does not accept the connection is not waited for after the end of the run', async () => {
		await host.ip('addr del 169.254.169.254/32 dev lo\nlink add void type veth peer name end\nlink set void up\nlink set end up')
		await host.ip('addr add 10.9.9.9/24 dev void\nroute add 169.254.169.254 dev void')
		// On a busy machine, one attempt may be slow; with a run that waits until the timeout, each attempt is slow.
		const soon = async () => {
			const { heard, waited } = await asked()
			return { ...heard, isSoon: waited < 900 }
		}
		await expect.poll(soon).toEqual({ unavailable: 'metadata service: no answer', isSoon: true })
	})

	test('that is unavailable is replaced by the copy of cloud-init', async () => {
		put('/run/cloud-init/instance-data.json', JSON.stringify({ ds: { meta_data: {}, network_json: recorded }, v1: {} }))
		expect(await ask()).toMatchObject({ data: { source: 'copy of cloud-init', data: { links: [{}, { mtu: second.mtu }, {}] } } })
	})
})

/** Content as created by Nova, on a file system that every kernel supports. VM tests cover the file systems that Nova uses. */
describe('a config drive', () => {
	beforeEach(context => {
		if (!existsSync('/dev/loop-control')) context.skip('no loop devices on this machine')
		put('/sys/class/dmi/id/sys_vendor', 'QEMU\n')
	})

	test.each(['config-2', 'CONFIG-2'])('labelled %s is read and left unchanged', async label => {
		drive(label, { 'openstack/latest/network_data.json': JSON.stringify(recorded) })
		expect(await ask()).toMatchObject({ data: { source: 'config drive', data: { links: [{}, { mtu: second.mtu }, {}] } } })
		expect(readdirSync(tmpdir()).filter(name => name.startsWith('multinic-drive-'))).toEqual([])
		expect((await host.inside('cat', ['/proc/mounts'])).stdout).not.toContain('multinic-drive-')
	})

	test.each<[string, Record<string, string>, string]>([
		['without network data', { 'openstack/latest/meta_data.json': '{}' }, 'contains no network data'],
		['with invalid JSON', { 'openstack/latest/network_data.json': 'nothing' }, 'unexpected response'],
		['with a file that is too large', { 'openstack/latest/network_data.json': `"${'x'.repeat(1_000_000)}"` }, 'unexpected response'],
	])('%s is reported as unusable', async (_, files, words) => {
		drive('config-2', files)
		expect(await ask()).toEqual({ unavailable: expect.stringMatching(new RegExp(`; config drive: ${words}$`)) })
	})

	test.each<[string, string[], string]>([
		['is not permitted to mount', ['setpriv', '--bounding-set', '-sys_admin'], 'mount: .*(permission denied|must be superuser).*'],
		['has no directory for temporary files', ['env', 'TMPDIR=/nowhere'], 'ENOENT.*'],
	])('is not read by an agent that %s', async (_, by, words) => {
		drive('config-2', { 'openstack/latest/network_data.json': JSON.stringify(recorded) })
		expect(await ask({}, by)).toEqual({ unavailable: expect.stringMatching(new RegExp(`; config drive: ${words}$`)) })
	})

	test('that cannot be mounted is reported, and no directory remains', async () => {
		put('/dev/disk/by-label/config-2', 'no file system')
		expect(await ask()).toEqual({ unavailable: expect.stringMatching(/; config drive: mount: [^\n]*device[^\n]*$/) })
		expect(readdirSync(tmpdir()).filter(name => name.startsWith('multinic-drive-'))).toEqual([])
	})
})

test('a symlink loop in /dev of the host is not treated as a config drive', async () => {
	mkdirSync(join(host.root, 'dev'))
	symlinkSync('disk', join(host.root, 'dev/disk'))
	expect(await ask()).toEqual({ unavailable: expect.stringMatching(/^metadata service: [^;]*$/) })
})

describe('the metadata service gets', () => {
	test('no request if nothing indicates OpenStack', async () => {
		put('/sys/class/dmi/id/sys_vendor', 'Amazon EC2\n')
		put('/run/cloud-init/cloud-id', 'aws\n')
		const requests = await service('recorded')
		expect(await ask()).toBeUndefined()
		expect(requests).toEqual([])
	})

	test('a single request if cloud-init reports OpenStack', async () => {
		put('/sys/class/dmi/id/sys_vendor', 'QEMU\n')
		put('/run/cloud-init/cloud-id', 'openstack\n')
		const requests = await service('recorded')
		await ask()
		expect(requests).toEqual(['/openstack/latest/network_data.json'])
	})
})

describe('a run', () => {
	const mac = second.ethernet_mac_address
	const wrong = { id: 0, macAddress: mac, address: '10.0.0.24', cidr: '10.0.0.0/24', mtu: 1400 }
	const right = { ...wrong, address: '10.0.0.23', mtu: 1450 }
	const gone = { id: 1, macAddress: 'fa:16:3e:04:92:c6', address: '10.0.2.9', cidr: '10.0.2.0/24' }
	beforeEach(() => host.ip(`link add ens7 address ${mac} type veth peer name peer7\nlink set peer7 up`))

	test('warns about differences from Nova and applies the desired config', async () => {
		await service('recorded')
		const { report, stdout } = await host.agent([wrong, gone])
		const message =
			'Nova reports 10.0.0.23 for this MAC, not 10.0.0.24, Nova reports an MTU of 1450 for this MAC, not 1400 (metadata service)'
		const missing = 'Nova lists no port of this VM with this MAC, and may be 15 s behind (metadata service)'
		expect(report?.interfaces, stdout).toMatchObject([
			{ state: 'Configured', warnings: [{ reason: 'PortMismatch', message }] },
			{ state: 'Failed', reason: 'WaitingForDevice', warnings: [{ reason: 'PortMismatch', message: missing }] },
		])
		expect(stdout).toContain(`openstack       multinic0: ${message}\n`)
		expect((await host.ask('addr show multinic0'))[0]?.addr_info).toMatchObject([{ local: '10.0.0.24' }, {}])
	})

	test('without changes also warns, and writes nothing', async () => {
		await service('slow')
		await host.agent([wrong])
		const before = [await host.everything(), host.changeTimes()]
		const { report, stdout } = await host.agent([wrong])
		expect(report, stdout).toMatchObject({
			changes: 0,
			interfaces: [{ reason: 'AlreadyConfigured', warnings: [{ reason: 'PortMismatch' }] }],
		})
		expect([await host.everything(), host.changeTimes()]).toEqual(before)
	})

	test('with a config that matches Nova has no warning', async () => {
		await service('recorded')
		const { report, stdout } = await host.agent([right])
		expect(report?.interfaces).toMatchObject([{ reason: 'Configured', warnings: [] }])
		expect(stdout).toContain('openstack       the metadata service reports the same values\n')
	})

	test.each(['hangs', 'garbage', 'huge'])('is not affected by a metadata service with behaviour "%s"', async behaviour => {
		await service(behaviour)
		const { report, stdout, code } = await host.agent([right])
		expect(report).toMatchObject({ outcome: 'Succeeded', interfaces: [{ reason: 'Configured', warnings: [] }] })
		expect(stdout).toMatch(/^openstack {7}not compared: metadata service: /m)
		expect(code).toBe(0)
	})

	test('ignores network data that contains no MAC of the host', async () => {
		await service('recorded')
		const { report, stdout } = await host.agent([{ ...wrong, macAddress: gone.macAddress }])
		expect(report?.interfaces).toMatchObject([{ reason: 'WaitingForDevice', warnings: [{ reason: 'PortMismatch' }] }])
		await host.ip('link del ens7')
		const other = await host.agent([{ ...wrong, macAddress: gone.macAddress }])
		expect(other.report?.interfaces, stdout).toMatchObject([{ reason: 'WaitingForDevice', warnings: [] }])
		expect(other.stdout).toContain('openstack       not compared: the metadata service lists no NIC of this host\n')
	})

	test('sends no request for a removal', async () => {
		const requests = await service('recorded')
		expect((await host.agent([])).report).toMatchObject({ outcome: 'Succeeded' })
		expect((await host.agent([right], { mode: 'Cleanup' })).report).toMatchObject({ outcome: 'Succeeded' })
		expect(requests).toEqual([])
	})

	test('contains the machine in its report, and in JSON logs as a separate line', async () => {
		put('/etc/os-release', 'PRETTY_NAME="Füller Linux 1"\n')
		const machine = { os: 'Füller Linux 1', virtualization: 'kvm' }
		const human = await host.agent([right], { mode: 'Plan' })
		expect(human.report?.machine).toMatchObject(machine)
		expect(human.stdout).not.toContain('Füller')
		const { stdout } = await host.agent([right], { mode: 'Plan' }, undefined, { LOG_FORMAT: 'json' })
		const lines = stdout.split('\n').filter(Boolean)
		expect(lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'machine')).toMatchObject([machine])
	})
})

/** @param by program that starts the run, with its arguments */
async function ask(env: Record<string, string> = {}, by: string[] = []): Promise<MetadataResult | undefined> {
	return (await asked(env, by)).heard
}

/** What a run that ends immediately receives from OpenStack, and how long it waits for that (milliseconds). */
async function asked(env: Record<string, string> = {}, by: string[] = []): Promise<{ heard?: MetadataResult; waited: number }> {
	const [program = '', ...args] = [...by, process.execPath, join(import.meta.dirname, 'metadata-asked.ts')]
	const child = host.start(program, args, { HOST_ROOT: host.inner, ...env })
	let said = ''
	child.stdout?.setEncoding('utf8').on('data', text => {
		said += text
	})
	await once(child, 'close')
	return JSON.parse(said)
}

/** @returns the requests that the service receives */
async function service(behaviour: string): Promise<unknown[]> {
	const requests: unknown[] = []
	const child = host.start(process.execPath, [join(import.meta.dirname, 'metadata-server.ts'), behaviour])
	await once(child, 'message')
	child.on('message', request => requests.push(request))
	return requests
}

/** A file instead of a device: `mount` sets up a loop device for it. */
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

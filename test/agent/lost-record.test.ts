import { expect, describe, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import { createLog } from '../../agent/report/log.ts'
import { CLOUD_INIT_OFF, RECORD_PATH } from '../../agent/model/paths.ts'
import { recordOf } from '../../agent/model/record.ts'
import { run } from '../../agent/run/run.ts'
import type { RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { hostWith, livingHost } from './simulated-host.ts'

/** The record of a host is deleted. The files of MultiNIC still show which NICs it manages. */
const mac = (id: number) => `fa:16:3e:00:00:0${id}`
const nic = (id: number): Partial<Interface> => ({
	id,
	macAddress: mac(id),
	address: `10.0.${id}.23`,
	cidr: `10.0.${id}.0/24`,
	addresses: [`fd00:${id + 1}::23/64`],
	gateway: `10.0.${id}.1`,
	routes: [{ to: `10.9.${id}.0/24`, via: `10.0.${id}.7`, table: 254 }],
})
const links = [0, 1].map(id => ({ ifindex: id + 3, name: `ens${id}`, mac: mac(id), altnames: [`enp0s${id}`] }))
const primary = { ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:01', up: true }
const hosts: Record<string, HostState> = {
	'netplan-networkd': hostWith([primary, ...links], { cloudInit: { macs: [mac(0)], forced: false } }),
	'networkmanager-keyfile': hostWith([primary, ...links], { netplan: false, keyfiles: true, networkmanager: true }),
	ifcfg: hostWith([primary, ...links], {
		netplan: false,
		files: { '/etc/sysconfig/network-scripts/ifcfg-eth0': { content: 'DEVICE=eth0\n', mode: 0o644, gid: 0 } },
		routes: [
			{ family: 4, to: '0.0.0.0/0', via: '192.168.9.1', link: 2, table: 254, metric: 0, protocol: 4, type: 1, scope: 0, onlink: false },
		],
	}),
}

async function runOn(host: HostState, wish: readonly Partial<Interface>[], mode: RunConfig['mode'] = 'Apply') {
	const living = livingHost(host)
	const surrounding = { log: createLog('human', () => {}), kinds: new Set(['hardware']), apiServer: undefined }
	return { report: await run(runConfig([...wish], { mode }), living.host, surrounding), now: living.now() }
}

async function lost(host: HostState): Promise<{ before: HostState; now: HostState }> {
	const { now } = await runOn(host, [nic(0), nic(1)])
	const { [RECORD_PATH]: _, ...files } = now.files
	return { before: now, now: { ...now, files } }
}

const note = expect.stringMatching(/^the record of this host \(\/var\/lib\/multinic\/record\.json\) is lost: /)

describe.each(Object.entries(hosts))('a lost record, with %s', (_, host) => {
	test('is written again by a run, which changes nothing else', async () => {
		const { before, now } = await lost(host)
		const { report, now: then } = await runOn(now, [nic(0), nic(1)])
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2', changes: 1, notes: [note] })
		expect({ ...then, files: { ...then.files, [RECORD_PATH]: undefined } }).toEqual({
			...before,
			files: { ...before.files, [RECORD_PATH]: undefined },
		})
		const again = await runOn(then, [nic(0), nic(1)])
		expect(again.report).toMatchObject({ changes: 0 })
		expect(again.report.notes).toBeUndefined()
	})

	test('is reported as drift in mode Verify', async () => {
		const { report } = await runOn((await lost(host)).now, [nic(0), nic(1)], 'Verify')
		expect(report).toMatchObject({ outcome: 'Failed', reason: 'Drifted', notes: [note], drift: [{ of: RECORD_PATH, found: 'missing' }] })
	})

	test('does not prevent the removal of addresses and routes that are no longer desired', async () => {
		const { report, now } = await runOn((await lost(host)).now, [{ ...nic(0), address: '10.0.0.99', addresses: [], routes: [] }, nic(1)])
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 2/2' })
		expect(now.links.find(({ mac: of }) => of === mac(0))?.addresses.map(({ cidr }) => cidr)).toEqual(['10.0.0.99/24'])
		expect(now.routes.filter(({ to }) => to === '10.9.0.0/24')).toEqual([])
	})

	test('does not prevent a removal, but the NIC keeps the name of MultiNIC until the next boot', async () => {
		const { report, now } = await runOn((await lost(host)).now, [nic(1)])
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 1/1' })
		expect(Object.keys(now.files).filter(path => path.includes('multinic0'))).toEqual([])
		const link = now.links.find(({ mac: of }) => of === mac(0))
		expect(link).toMatchObject({ name: 'multinic0', addresses: [] })
		expect(now.routes.filter(({ link: of }) => of === link?.ifindex)).toEqual([])
		const cleanup = await runOn(now, [], 'Cleanup')
		expect(cleanup.report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
		expect(Object.keys(cleanup.now.files).filter(path => path.includes('multinic'))).toEqual([])
	})
})

test('after the record is lost, the file that disables cloud-init is removed with the last interface', async () => {
	const { now } = await lost(hosts['netplan-networkd'] ?? hostWith([]))
	expect(now.files[CLOUD_INIT_OFF]).toBeDefined()
	expect((await runOn(now, [], 'Cleanup')).now.files[CLOUD_INIT_OFF]).toBeUndefined()
})

test.each([
	[
		'a file of another program at a path of MultiNIC',
		'/etc/udev/rules.d/99-z-multinic0.rules',
		`ATTR{address}=="${mac(0)}", NAME="multinic0"\n`,
	],
	['a file of another program with a name of MultiNIC', '/etc/netplan/60-a.yaml', 'network: {ethernets: {multinic0: {dhcp4: true}}}'],
])('%s does not make a NIC managed by MultiNIC', (_, path, content) => {
	expect(recordOf(hostWith(links, { files: { [path]: { content, mode: 0o644, gid: 0 } } })).links).toEqual([])
})

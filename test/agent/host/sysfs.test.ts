import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deviceOf, inOtherNamespace } from '../../../agent/host/sysfs.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { type HostRecord, parseRecord } from '../../../agent/model/record.ts'
import { RECORD_PATH } from '../../../agent/model/paths.ts'
import type { HostState } from '../../../agent/model/host-state.ts'
import { Interfaces, settle } from '../../../contract/interface.ts'
import { afterEvery, BASE_RULES, hostWith } from '../simulated-host.ts'

const mac = 'fa:16:3e:00:00:01'
const VIRTIO = '/sys/devices/pci0000:00/0000:00:05.0/virtio3'
const PCI = '/sys/devices/pci0000:00/0000:81:00.0'

let root: string

describe('the device of a link, read below the root of a host', () => {
	beforeEach(() => {
		root = mkdtempSync(join(tmpdir(), 'mn-sys-'))
	})
	afterEach(() => rmSync(root, { recursive: true }))

	/** Mimics sysfs: a class directory with symlinks to the devices, and a symlink `driver` next to `net/`. */
	function plug(path: string, { driver = 'virtio_net', link }: { driver?: string | undefined; link?: string }): void {
		mkdirSync(`${root}${path}/net`, { recursive: true })
		mkdirSync(`${root}/sys/class/net`, { recursive: true })
		if (driver) symlinkSync(`../../../../bus/drivers/${driver}`, `${root}${path}/driver`)
		if (link === undefined) return
		mkdirSync(`${root}${path}/net/${link}`)
		symlinkSync(`../..`, `${root}${path}/net/${link}/device`)
		symlinkSync(`../..${path.slice('/sys'.length)}/net/${link}`, `${root}/sys/class/net/${link}`)
	}

	test.each([
		['is the virtio device of a virtio NIC', VIRTIO, 'virtio_net'],
		['is the PCI device of a PCI NIC', PCI, 'mlx5_core'],
	])('%s', (_, path, driver) => {
		plug(path, { driver, link: 'ens5' })
		expect(deviceOf(root, 'ens5')).toEqual({ device: { path, driver } })
	})

	test('is missing for a virtual link, and without /sys', () => {
		expect(deviceOf(root, 'br0')).toEqual({})
		mkdirSync(`${root}/sys/class/net/br0`, { recursive: true })
		expect(deviceOf(root, 'br0')).toEqual({})
	})

	const recordOf = (device: object | undefined, of = mac) => ({
		content: JSON.stringify({ version: 1, links: [{ ...recorded, mac: of, ...(device && { device }) }] }, null, '\t'),
		mode: 0o600,
		gid: 0,
	})
	const { links: here } = hostWith([{ ifindex: 3, name: 'multinic0', mac }])

	test.each<[title: string, plugged: () => void, found: boolean]>([
		['indicates that its link is in another namespace if it has a driver and no link', () => plug(VIRTIO, {}), true],
		['indicates nothing if it is missing', () => {}, false],
		['indicates nothing if it has another link', () => plug(VIRTIO, { link: 'ens5' }), false],
		['indicates nothing if it has no driver', () => plug(VIRTIO, { driver: '' }), false],
		['indicates nothing if it has a driver that creates no links', () => plug(VIRTIO, { driver: 'vfio-pci' }), false],
	])('%s', (_, plugged, found) => {
		plugged()
		expect(inOtherNamespace(root, [], recordOf({ path: VIRTIO, driver: 'virtio_net' }))).toEqual(found ? [mac] : [])
	})

	test('is not looked up for a link that is present, a record of an earlier version, or an invalid record', () => {
		plug(VIRTIO, {})
		const device = { path: VIRTIO, driver: 'virtio_net' }
		expect(inOtherNamespace(root, here, recordOf(device))).toEqual([])
		expect(inOtherNamespace(root, [], recordOf(undefined))).toEqual([])
		expect(inOtherNamespace(root, [], recordOf({ ...device, path: '/sys/devices/../../etc' }))).toEqual([])
		expect(inOtherNamespace(root, [], { content: `"mac": "${mac}"`, mode: 0o600, gid: 0 })).toEqual([])
		expect(inOtherNamespace(root, [], undefined)).toEqual([])
	})
})

const recorded: Omit<HostRecord['links'][number], 'device'> = {
	mac,
	id: 0,
	name: 'multinic0',
	original: { name: 'ens5', altnames: [], mtu: 1500, up: false, sysctls: {} },
	addresses: ['10.0.0.23/24'],
	former: [],
	routes: [],
	files: {},
}

const wanted = (...nics: object[]) => ({
	interfaces: settle(Interfaces.parse(nics)),
	nodeAddresses: [],
	kinds: new Set(['hardware']),
	failed: new Map(),
})
const nic = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24' }

describe('a NIC that was moved into a pod', () => {
	const device = { path: VIRTIO, driver: 'virtio_net' }
	const fresh = hostWith([{ ifindex: 3, name: 'ens5', mac, device }])
	const configured = changed(fresh, nic)
	const moved: HostState = { ...configured, links: [], routes: [], inOtherNamespace: [mac] }
	const message = `the NIC is in another network namespace, such as that of a pod: its device ${VIRTIO} has the driver virtio_net and no link here (lsns -t net)`

	function changed(host: HostState, ...nics: object[]): HostState {
		return afterEvery(host, plan(wanted(...nics), host, {}).steps, false)
	}

	test('has its device in the record, and the next plan is empty', () => {
		expect(parseRecord(configured.files[RECORD_PATH]).links).toMatchObject([{ device }])
		expect(plan(wanted(nic), configured, {}).steps).toEqual([])
	})

	test('has no device in a record of an earlier version, and the next plan is also empty', () => {
		const old = { ...configured, files: { ...configured.files, [RECORD_PATH]: without(configured) } }
		expect(plan(wanted(nic), old, {}).steps).toEqual([])
	})

	test('is reported as InOtherNamespace, and as WaitingForDevice if its namespace is unknown', () => {
		expect(plan(wanted(nic), moved, {}).refused).toMatchObject([{ refusal: { reason: 'InOtherNamespace', message } }])
		expect(plan(wanted(nic), { ...moved, inOtherNamespace: [] }, {}).refused).toMatchObject([
			{ refusal: { reason: 'WaitingForDevice', message: `no link has MAC ${mac} yet (ip -br link)` } },
		])
	})

	test('is not removed before it returns, and is then restored', () => {
		const { kept, steps } = plan(wanted(), moved, {})
		expect([kept, steps]).toMatchObject([[{ refusal: { reason: 'InOtherNamespace', message } }], []])
		// The kernel returns it down and without addresses.
		const back = hostWith([{ ifindex: 9, name: 'multinic0', mac, device }], { files: configured.files, rules: configured.rules })
		const end = changed(back)
		expect(end.links).toMatchObject([{ name: 'ens5', up: false }])
		expect([end.rules, end.files]).toEqual([BASE_RULES, {}])
	})

	test('is configured again when it returns', () => {
		const back = hostWith([{ ifindex: 9, name: 'multinic0', mac, device }], { files: configured.files, rules: configured.rules })
		const end = changed(back, nic)
		expect(end.links).toMatchObject([{ name: 'multinic0', up: true, addresses: [{ cidr: '10.0.0.23/24' }] }])
		expect(plan(wanted(nic), end, {}).steps).toEqual([])
	})
})

/** The record as written by an earlier version of the agent. */
function without(host: HostState): HostState['files'][string] {
	const record = host.files[RECORD_PATH] ?? { content: '', mode: 0, gid: 0 }
	const { version, links } = JSON.parse(record.content) as HostRecord
	return { ...record, content: `${JSON.stringify({ version, links: links.map(({ device: _, ...link }) => link) }, null, '\t')}\n` }
}

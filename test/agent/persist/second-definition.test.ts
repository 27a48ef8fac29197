import { describe, expect, test } from 'vitest'
import type { HostState } from '../../../agent/model/host-state.ts'
import { createLog } from '../../../agent/report/log.ts'
import type { Definition } from '../../../agent/persist/definition-readers.ts'
import { definitionsOf } from '../../../agent/persist/second-definition.ts'
import { run } from '../../../agent/run/run.ts'
import type { RunConfig } from '../../../contract/agent-run.ts'
import { runConfig } from '../../../lab/setup/machine-agent.ts'
import { hostWith, livingHost } from '../simulated-host.ts'

/** Files of other programs that define a managed NIC: each file format, each kind of match, each mode. */
const mac = 'fa:16:3e:00:00:01'
const wish = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24' }
const nic = { name: 'multinic0', macAddress: mac }
const block = (id: string, ...lines: string[]) =>
	`network:\n  version: 2\n  ethernets:\n    ${id}:\n${lines.map(line => `      ${line}\n`).join('')}`
const match = ['match:', `  macaddress: "${mac.toUpperCase()}"`]
const keyfile = (...lines: string[]) => `[connection]\nid=theirs\ntype=ethernet\n${lines.join('\n')}\n`

type Applied = Definition['applied'] | undefined
type Row = [path: string, content: string, applied: Applied]
const NETPLAN = '/etc/netplan/60-a.yaml'
const NM = '/etc/NetworkManager/system-connections/a.nmconnection'
const IFCFG = '/etc/sysconfig/network-scripts/ifcfg-a'

const netplan: Record<string, Row> = {
	'netplan, by its id': [NETPLAN, block('multinic0', 'addresses: [10.9.9.9/24]'), 'both'],
	'netplan, by its id and MAC, with set-name': [NETPLAN, block('multinic0', ...match, 'set-name: multinic0'), 'both'],
	'netplan, by its id, as a bridge': [NETPLAN, 'network: {version: 2, bridges: {multinic0: {interfaces: [ens3]}}}', 'both'],
	'netplan, by its id, in /run': ['/run/netplan/a.yaml', block('"multinic0"', 'dhcp4: true'), 'both'],
	'netplan, by its id, in /lib': ['/lib/netplan/a.yaml', '{"network": {"ethernets": {"multinic0": {"dhcp4": true}}}}', 'both'],
	'netplan, by its id, in a file that the file of MultiNIC overrides': [
		'/run/netplan/99-multinic0.yaml',
		block('multinic0', 'dhcp4: true'),
		'ours',
	],
	'netplan, by its MAC, read before the file of MultiNIC': [NETPLAN, block('ens7', ...match, 'dhcp4: true'), 'theirs'],
	'netplan, by its MAC, read after the file of MultiNIC': [NETPLAN, block('nic7', ...match, 'dhcp4: true'), 'ours'],
	'netplan, by its MAC, in one line': [NETPLAN, `network: {ethernets: {a: {match: {macaddress: ${mac}}}}}`, 'theirs'],
	'netplan, by its MAC, with a name that the udev rule of MultiNIC overrides': [
		NETPLAN,
		block('ens7', ...match, 'set-name: ens7', 'dhcp4: true'),
		'ours',
	],
	'netplan, by its MAC, with its MultiNIC name': [NETPLAN, block('ens7', ...match, 'set-name: multinic0', 'dhcp4: true'), 'theirs'],
	'netplan, by its MultiNIC name with another MAC': [
		NETPLAN,
		block('ens7', 'match: {macaddress: "02:00:00:00:00:09"}', 'set-name: multinic0'),
		'theirs',
	],
	'netplan, by a name pattern': [NETPLAN, block('all', 'match:', '  name: "multi*"', 'dhcp4: true'), 'theirs'],
	'netplan, by a name pattern that does not match': [NETPLAN, block('all', 'match:', '  name: "en*"', 'dhcp4: true'), undefined],
	'netplan, a bridge with its MAC': [NETPLAN, `network:\n  bridges:\n    br0:\n      macaddress: ${mac}\n`, undefined],
	'netplan, a VLAN on top of it': [NETPLAN, 'network: {vlans: {v5: {id: 5, link: multinic0}}}', undefined],
	'netplan, in a comment': [NETPLAN, `# multinic0: ${mac}\nnetwork: {version: 2}\n`, undefined],
	'netplan, by its id, in flow style on the next line': [NETPLAN, 'network:\n  ethernets:\n    {multinic0: {dhcp4: true}}\n', 'both'],
	'netplan, by its id, as a complex key': [NETPLAN, 'network:\n  ethernets:\n    ? multinic0\n    : dhcp4: true\n', 'both'],
	'netplan, by its id, with an escape': [NETPLAN, block('"multini\\x630"', 'dhcp4: true'), 'both'],
	'netplan, by its id, with an anchor and a tag': [NETPLAN, block('&a !!str multinic0', 'dhcp4: true'), 'both'],
	'netplan, by its id, in the second of two equal keys': [NETPLAN, 'network:\n  ethernets: {}\n  ethernets:\n    multinic0: {}\n', 'both'],
	'netplan, by a name pattern in a list': [NETPLAN, block('all', 'match:', '  name: [en*, multi*]'), 'theirs'],
	'netplan, in a block scalar': [NETPLAN, block('ens9', 'x: |', `  multinic0 ${mac}`, '  y: z', 'dhcp4: true'), undefined],
	'netplan, a file that is not YAML': [NETPLAN, 'network:\n  version: 2\n ethernets: [\n', 'theirs'],
	'netplan, a file with an alias': [NETPLAN, 'network:\n  ethernets:\n    ens9: *a\n', 'theirs'],
	'netplan, an extremely nested file': [NETPLAN, 'vlans: {a: b,'.repeat(20_000), 'theirs'],
	'a .network, by its MAC with hyphens': [
		'/etc/systemd/network/05-a.network',
		`[Match]\nMACAddress=${mac.replaceAll(':', '-')}\n`,
		'theirs',
	],
	'a .network, by its MAC with dots': ['/etc/systemd/network/05-a.network', '[Match]\nMACAddress=fa16.3e00.0001\n', 'theirs'],
	'a .network, by its MAC, in a list of two lines': [
		'/etc/systemd/network/05-a.network',
		`[Match]\nMACAddress=02:00:00:00:00:09 \\\n# theirs\n  ${mac}\n`,
		'theirs',
	],
	'a .network, by its name in quotes, with space before it': [
		'/etc/systemd/network/05-a.network',
		'  [Match]\n  Name = "ens9" "multinic0"\n',
		'theirs',
	],
	'a .network, by its name in a comment': ['/etc/systemd/network/05-a.network', '[Match]\nName=ens9\n ; Name=multinic0\n', undefined],
	'a .network with a pattern of sixty stars': [
		'/etc/systemd/network/05-a.network',
		`[Match]\nName=${'*'.repeat(60)}x multinic0\n`,
		'theirs',
	],
	'a .link, by its MAC with hyphens, with an MTU': [
		'/etc/systemd/network/05-a.link',
		`[Match]\nMACAddress=${mac.replaceAll(':', '-')}\n[Link]\nMTUBytes=9000\n`,
		'theirs',
	],
	'a udev rule in two lines': ['/etc/udev/rules.d/99-zz.rules', `ATTR{address}=="${mac}", \\\n  NAME="ens7"\n`, 'theirs'],
	'a udev rule in /run': ['/run/udev/rules.d/99-zz.rules', `ATTR{address}=="${mac}", NAME="ens7"`, 'theirs'],
	'a udev rule in /usr/lib, read before the rule of MultiNIC': [
		'/usr/lib/udev/rules.d/70-a.rules',
		`ATTR{address}=="${mac}", NAME="ens7"`,
		'ours',
	],
	'a udev rule, by a MAC pattern': ['/usr/lib/udev/rules.d/99-zz.rules', 'ATTR{address}=="02:*|fa:16:3e:*", NAME = "ens7"', 'theirs'],
	'a udev rule, by a MAC pattern that does not match': [
		'/usr/lib/udev/rules.d/99-zz.rules',
		'ATTR{address}=="02:*", NAME="ens7"',
		undefined,
	],
	'a udev rule that assigns its MultiNIC name, with an escape': ['/etc/udev/rules.d/70-a.rules', 'NAME=e"multini\\x630"', 'theirs'],
	'a .network, by its name, read before the file of MultiNIC': [
		'/etc/systemd/network/05-a.network',
		'[Match]\nName=multinic0\n[Network]\nDHCP=yes\n',
		'theirs',
	],
	'a .network, by its MAC, read before the file of MultiNIC': [
		'/run/systemd/network/05-a.network',
		`[Match]\nMACAddress=${mac}\n`,
		'theirs',
	],
	'a .network, by its MAC, read after the file of MultiNIC': ['/etc/systemd/network/20-a.network', `[Match]\nMACAddress=${mac}\n`, 'ours'],
	'a .network, by its MAC, for another name': ['/etc/systemd/network/05-a.network', `[Match]\nMACAddress=${mac}\nName=ens7\n`, 'ours'],
	'a .link, by its MAC, that only sets a name': [
		'/etc/systemd/network/05-a.link',
		`[Match]\nMACAddress=${mac}\n[Link]\nName=ens7\n`,
		'ours',
	],
	'a .link, by its MAC, with an MTU': ['/etc/systemd/network/05-a.link', `[Match]\nMACAddress=${mac}\n[Link]\nMTUBytes=9000\n`, 'theirs'],
	'a .link that is read after the file of MultiNIC': [
		'/etc/systemd/network/80-a.link',
		`[Match]\nMACAddress=${mac}\n[Link]\nMTUBytes=9000\n`,
		'ours',
	],
	'a udev rule, by its MAC, read after the rule of MultiNIC': [
		'/etc/udev/rules.d/99-zz.rules',
		`ATTR{address}=="${mac}", NAME="ens7"`,
		'theirs',
	],
	'a udev rule, by its MAC, read before the rule of MultiNIC': [
		'/etc/udev/rules.d/70-a.rules',
		`ATTR{address}=="${mac}", NAME="ens7"`,
		'ours',
	],
	'a udev rule that assigns its MultiNIC name to another NIC': [
		'/etc/udev/rules.d/70-a.rules',
		'ATTR{address}=="02:00:00:00:00:09", NAME="multinic0"',
		'theirs',
	],
}
const profiles: Record<string, Row> = {
	'a profile, by its name': [NM, keyfile('interface-name=multinic0'), 'ours'],
	'a profile, by its MAC': [NM, keyfile('[ethernet]', `mac-address=${mac.toUpperCase()}`), 'ours'],
	'a profile with the same priority': [NM, keyfile('interface-name=multinic0', 'autoconnect-priority=999'), 'theirs'],
	'a profile with the same priority that is not activated automatically': [
		NM,
		keyfile('interface-name=multinic0', 'autoconnect-priority=999', 'autoconnect=false'),
		'ours',
	],
	'a profile of a VLAN on top of it': [NM, '[connection]\ntype=vlan\n[vlan]\nparent=multinic0\n', undefined],
}
const scripts: Record<string, Row> = {
	'an ifcfg file, by its name': [IFCFG, 'DEVICE="multinic0"\nONBOOT=yes\n', 'both'],
	'an ifcfg file, by its MAC without a name': [IFCFG, `HWADDR=${mac.toUpperCase()}\nONBOOT=yes\n`, 'theirs'],
	'an ifcfg file, by its MAC, for another name': [IFCFG, `DEVICE=ens7\nHWADDR=${mac}\n`, 'ours'],
	'an ifcfg file of a VLAN on top of it': [IFCFG, 'DEVICE=multinic0.5\nVLAN=yes\n', undefined],
}
const backends: Record<string, { rows: Record<string, Row>; more: Partial<HostState> }> = {
	'netplan-networkd': { rows: netplan, more: {} },
	'networkmanager-keyfile': { rows: profiles, more: { netplan: false, keyfiles: true, networkmanager: true } },
	ifcfg: {
		rows: scripts,
		more: {
			netplan: false,
			routes: [
				{ family: 4, to: '0.0.0.0/0', via: '192.168.9.1', link: 2, table: 254, metric: 0, protocol: 4, type: 1, scope: 0, onlink: false },
			],
		},
	},
}
const all = Object.entries(backends).flatMap(([backend, { rows }]) => Object.entries(rows).map(([title, row]) => ({ backend, title, row })))

function hostOf(backend: string, files: Record<string, string>): HostState {
	const primary = { ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:01', up: true }
	const theirs = { ...(backend === 'ifcfg' && { '/etc/sysconfig/network-scripts/ifcfg-eth0': 'DEVICE=eth0\n' }), ...files }
	return hostWith([primary, { ifindex: 3, name: 'ens7', mac }], {
		...backends[backend]?.more,
		files: Object.fromEntries(Object.entries(theirs).map(([path, content]) => [path, { content, mode: 0o600, gid: 0 }])),
	})
}

async function runOn(host: HostState, mode: RunConfig['mode'], wanted: readonly (typeof wish)[] = [wish]) {
	const living = livingHost(host)
	const surrounding = { log: createLog('human', () => {}), kinds: new Set(['hardware']), apiServer: undefined }
	return { report: await run(runConfig([...wanted], { mode }), living.host, surrounding), now: living.now() }
}

/** Which definition the next boot applies. */
const results = {
	both: 'applied in addition to the definition of MultiNIC',
	theirs: 'applied instead of the definition of MultiNIC',
	ours: 'not applied',
}

describe.each(all)('a possible second definition with $backend: $title', ({ backend, row: [path, content, applied] }) => {
	test(`is ${applied === undefined ? 'not a definition' : results[applied]}`, () => {
		const found = definitionsOf(nic, hostOf(backend, { [path]: content }))
		expect(found.map(one => [one.path, one.applied])).toEqual(applied === undefined ? [] : [[path, applied]])
	})

	test.each(['Apply', 'Plan', 'Verify'] as const)('is reported in mode %s if it is applied', async mode => {
		expect(said((await runOn(hostOf(backend, { [path]: content }), mode)).report, path)).toBe(applied ?? 'ours')
	})

	test('is reported by a run without changes if it is applied', async () => {
		const { now } = await runOn(hostOf(backend, {}), 'Apply')
		const { report } = await runOn({ ...now, files: { ...now.files, [path]: { content, mode: 0o600, gid: 0 } } }, 'Apply')
		expect(report.changes).toBe(0)
		expect(said(report, path)).toBe(applied ?? 'ours')
	})
})

/** Which definition the next boot applies according to a report, if this file defines a managed interface. */
function said({ interfaces: [one], persistent }: Awaited<ReturnType<typeof runOn>>['report'], path: string): Definition['applied'] {
	if (one?.reason === 'InUse' && one.message.includes(`${path} also defines multinic0`)) return 'both'
	const isWarned = one?.warnings.some(({ reason, message }) => reason === 'NotPersistent' && message.includes(path))
	return isWarned && persistent.status === 'False' && /(cat|ls -l) /.test(persistent.message) && persistent.message.includes(path)
		? 'theirs'
		: 'ours'
}

test('a file that defines several managed NICs is reported once', async () => {
	const host = hostOf('netplan-networkd', { [NETPLAN]: block('all', 'match:', '  name: "multi*"') })
	const both = [wish, { ...wish, id: 1, macAddress: 'fa:16:3e:00:00:02', address: '10.0.1.23', cidr: '10.0.1.0/24' }]
	const two = hostWith([...host.links, { ifindex: 4, name: 'ens8', mac: 'fa:16:3e:00:00:02' }], host)
	const { report } = await runOn({ ...host, links: two.links }, 'Apply', both)
	expect(report.interfaces.map(({ warnings }) => warnings.length)).toEqual([1, 0])
	expect(report.persistent.message).toBe(`${NETPLAN} also defines multinic0, by its name (cat ${NETPLAN}), and also multinic1`)
})

describe('reason NoInterfaces', () => {
	test('is reported if no file mentions a managed interface', async () => {
		const { now } = await runOn(hostOf('netplan-networkd', {}), 'Apply')
		expect((await runOn(now, 'Apply', [])).report).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
	})

	test.each<[string, Row[]]>([
		['a VLAN in a netplan file', [[NETPLAN, 'network: {vlans: {v5: {id: 5, link: multinic0}}}', undefined]]],
		['a definition in a netplan file', [[NETPLAN, block('ens7', ...match, 'set-name: multinic0'), undefined]]],
		['a .network', [['/etc/systemd/network/20-a.network', '[Match]\nName=multinic3\n', undefined]]],
		['a .link', [['/etc/systemd/network/20-a.link', '[Link]\nName=multinic3\n', undefined]]],
		['a udev rule', [['/etc/udev/rules.d/70-a.rules', 'ATTR{address}=="02:00:00:00:00:09", NAME="multinic7"', undefined]]],
		['a profile', [[NM, keyfile('interface-name=multinic0'), undefined]]],
		['an ifcfg file', [[IFCFG, 'DEVICE=multinic0\n', undefined]]],
	])(
		'is not reported if %s mentions a managed interface: the message names the file, and mode Verify reports it as a leftover',
		async (_, rows) => {
			const files = Object.fromEntries(rows.map(([path, content]) => [path, content]))
			const [path = ''] = Object.keys(files)
			const { report } = await runOn(hostOf('netplan-networkd', files), 'Cleanup', [])
			expect(report).toMatchObject({ outcome: 'Succeeded', reason: 'AllInterfacesConfigured' })
			expect(report.message).toMatch(new RegExp(`^no interfaces are requested; multinic\\d is still in ${path} \\(cat ${path}\\)$`))
			const verified = await runOn(hostOf('netplan-networkd', files), 'Verify', [])
			expect(verified.report.drift).toMatchObject([{ attribute: 'file', of: path, wanted: 'none' }])
		},
	)

	test('is reported if a file only excludes managed interfaces', async () => {
		const files = { '/etc/systemd/network/20-a.network': '# multinic0\n[Match]\nName=!multinic*\n' }
		expect((await runOn(hostOf('netplan-networkd', files), 'Cleanup', [])).report.reason).toBe('NoInterfaces')
	})
})

test.each([
	['a profile of NetworkManager', NM, '[connection]\ntype=vlan\n[vlan]\nparent=multinic0\n', 'networkmanager-keyfile'],
	['an ifcfg file', IFCFG, 'DEVICE=multinic0.5\nVLAN=yes\n', 'ifcfg'],
	['an ifcfg file with PHYSDEV', IFCFG, 'DEVICE=trunk5\nPHYSDEV=multinic0\nVLAN=yes\n', 'ifcfg'],
])('a NIC on top of which %s defines a VLAN is not removed', async (_, path, content, backend) => {
	const { now } = await runOn(hostOf(backend, {}), 'Apply')
	const { report, now: then } = await runOn({ ...now, files: { ...now.files, [path]: { content, mode: 0o600, gid: 0 } } }, 'Apply', [])
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'InUse', changes: 0 })
	expect(report.message).toBe(`multinic0 (${mac}) is not removed: ${path} defines a VLAN on top of it (cat ${path}).`)
	expect(report.notRemoved).toEqual([
		{ name: 'multinic0', macAddress: mac, reason: expect.any(String), message: `${path} defines a VLAN on top of it (cat ${path})` },
	])
	expect(then.links[1]).toMatchObject({ name: 'multinic0' })
})

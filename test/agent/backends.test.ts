import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import { backendFor, backendOf } from '../../agent/persist/backend.ts'
import { cloudInitFiles, readsAtEveryBoot } from '../../agent/persist/cloud-init.ts'
import { contradiction } from '../../agent/persist/contradictions.ts'
import { isFor } from '../../agent/persist/networkd-match.ts'
import { profileFaults } from '../../agent/persist/networkmanager-profile.ts'
import { isProfileFor, rivals } from '../../agent/persist/rival-profiles.ts'
import { lastNamed } from '../../agent/persist/udev-names.ts'
import { rulesOf } from '../../agent/model/desired-rules.ts'
import { addressesOf, routesOf } from '../../agent/model/desired-network.ts'
import { familyOf } from '../../agent/model/networks.ts'
import { type Interface, settle, type WantedInterface } from '../../contract/interface.ts'
import { backends, routeWords, type Said, shell } from './backends.ts'
import { hostWith } from './simulated-host.ts'

const mac = 'fa:16:3e:00:00:01'
const wantedNic = (more: Partial<Interface>, podNetworks: readonly string[] = []): WantedInterface => {
	const [nic] = settle([{ id: 3, macAddress: mac, ...more }], { podNetworks })
	if (!nic) throw new Error('no interface')
	return nic
}
const file = (content: string) => ({ content, mode: 0o644, gid: 0 })

const cases: [title: string, nic: Partial<Interface>][] = [
	['only a name and an MTU', { mtu: 1450 }],
	['only a name', {}],
	['one address', { address: '10.0.0.23', cidr: '10.0.0.0/24' }],
	['an address, a gateway, an MTU', { address: '10.0.0.23', cidr: '10.0.0.23/24', gateway: '10.0.0.1', mtu: 9000 }],
	['both families', { address: '10.0.0.23', cidr: '10.0.0.0/24', addresses: ['fd00::23/64', 'fd00::24/64', '10.1.0.5/16'] }],
	['only IPv6', { address: 'fd00::23', cidr: 'fd00::/64', gateway: 'fd00::1' }],
	['a gateway outside its networks', { address: '10.0.0.23', cidr: '10.0.0.23/32', gateway: '10.9.9.1' }],
	[
		'no connected route',
		{ address: '10.0.0.23', cidr: '10.0.0.0/24', addresses: ['fd00::23/64'], gateway: '10.0.0.1', connectedRoute: false },
	],
	['no connected route and only IPv6', { address: 'fd00::23', cidr: 'fd00::/64', gateway: 'fd00::1', connectedRoute: false }],
	['the default route of the node', { address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1', defaultRoute: true }],
	[
		'no policy routing',
		{ address: '10.0.0.23', cidr: '10.0.0.0/24', policyRouting: false, routes: [{ to: '10.8.0.0/16', via: '10.0.0.1' }] },
	],
	[
		'all kinds of routes',
		{
			address: '10.0.0.23',
			cidr: '10.0.0.0/24',
			addresses: ['fd00::23/64'],
			routes: [
				{ to: '10.8.0.0/16', via: '10.0.0.1', metric: 50 },
				{ to: '10.7.0.0/16', metric: 7 },
				{ to: '10.6.0.0/16', via: '10.0.0.2', table: 254 },
				{ to: 'fd08::/32', via: 'fd00::1', metric: 9, table: 500 },
				{ to: '0.0.0.0/0', via: '10.0.0.3', table: 77 },
			],
		},
	],
]

describe.each(Object.entries(backends))('%s', (name, { host, read }) => {
	test('is detected on its host', () => expect(backendOf(host)).toEqual({ backend: name }))

	test.each(cases)('writes files that match the changes of a run for an interface with %s', (_, more) => {
		const nic = wantedNic(more)
		expect(sorted(read(backendFor(host).files(nic, host), nic.name))).toEqual(sorted(meant(nic)))
	})

	test('writes files that match the changes of a run for any interface', () => {
		fc.assert(
			fc.property(anyNic, anyPodNetworks, (more, podNetworks) => {
				const nic = wantedNic(more, podNetworks)
				expect(sorted(read(backendFor(host).files(nic, host), nic.name))).toEqual(sorted(meant(nic)))
			}),
		)
	})

	test('names the NIC with the last udev rule and persists its sysctls', () => {
		const files = backendFor(host).files(wantedNic({ address: '10.0.0.23', cidr: '10.0.0.0/24' }), host)
		expect(files['/etc/udev/rules.d/99-z-multinic3.rules']?.content).toMatch(
			/ATTR\{address\}=="fa:16:3e:00:00:01", NAME="multinic3", RUN\+="\/lib\/systemd\/systemd-sysctl --prefix=\/net\/ipv4\/conf\/multinic3 --prefix=\/net\/ipv6\/conf\/multinic3"\n$/,
		)
		expect(files['/etc/sysctl.d/99-multinic3.conf']?.content).toContain('-net.ipv4.conf.multinic3.arp_ignore = 1\n')
	})

	test('makes netplan generate a .link file only if networkd reads it', () => {
		const text = backendFor(host).files(wantedNic({}), host)['/etc/netplan/99-multinic3.yaml']?.content ?? ''
		expect(text.includes('"set-name"')).toBe(name === 'netplan-networkd')
	})

	test('writes files that may contain secrets with mode 0600, and starts each file with the header of MultiNIC', () => {
		const files = Object.entries(backendFor(host).files(wantedNic({ mtu: 1450 }), host))
		const secret = files.filter(([path]) => /netplan|system-connections/.test(path))
		expect(secret.filter(([, { mode }]) => mode !== 0o600)).toEqual([])
		expect(files.filter(([, { content }]) => !content.startsWith('# MultiNIC wrote this'))).toEqual([])
	})
})

describe('an ifcfg file', () => {
	/**
	 * Keys of nm-settings-ifcfg-rh(5) and initscripts' sysconfig.txt that both readers support, or that one supports and the other ignores.
	 */
	const known =
		/^(TYPE|NAME|UUID|DEVICE|HWADDR|ONBOOT|AUTOCONNECT_PRIORITY|BOOTPROTO|DEFROUTE|IPV[46]_ROUTE_METRIC|PEERDNS|NOZEROCONF|MTU|(IPADDR|PREFIX)[1-9]?|IPV6(INIT|_AUTOCONF|_DEFROUTE|ADDR|ADDR_SECONDARIES)|ROUTING_RULE6?_[1-9][0-9]*)$/
	/** The options of `ip route` that NetworkManager's reader of route files accepts; it ignores a route with any other option. */
	const routeLine = /^[0-9a-f.:]+\/\d+( via [0-9a-f.:]+)? dev multinic3( table \d+)?( metric \d+)?( onlink)?$/
	const ruleLine = /^from [0-9a-f.:]+\/\d+( to [0-9a-f.:]+\/\d+)? table \d+ priority \d+$/
	const hosts = [true, false].map(networkmanager => ({ ...(backends.ifcfg?.host ?? hostWith([])), networkmanager }))

	test.each(hosts)('has only keys and options that its readers support (NetworkManager runs: $networkmanager)', host => {
		fc.assert(
			fc.property(anyNic, anyPodNetworks, (more, podNetworks) => {
				const files = Object.entries(backendFor(host).files(wantedNic(more, podNetworks), host)).filter(([path]) =>
					path.includes('network-scripts'),
				)
				const lines = files.flatMap(([path, { content }]) =>
					content.split('\n').flatMap(line => (/^(#|$)/.test(line) ? [] : [[path, line] as const])),
				)
				const odd = lines.filter(([path, line]) => {
					if (path.includes('/ifcfg-')) return !Object.keys(shell(line)).every(key => known.test(key))
					return !(path.includes('/route') ? routeLine : ruleLine).test(line)
				})
				expect(odd).toEqual([])
				expect(files.some(([path]) => path.includes('/rule'))).toBe(!host.networkmanager && rulesOf(wantedNic(more)).length > 0)
			}),
		)
	})
})

describe('the backend', () => {
	const primary = { ifindex: 2, name: 'eth0', mac: 'fa:16:3e:00:00:99', up: true }
	const routes = [
		{ family: 4 as const, to: '0.0.0.0/0', via: '10.0.0.1', link: 2, table: 254, metric: 0, protocol: 4, type: 1, scope: 0, onlink: false },
	]
	const by = (managedBy: 'NetworkManager' | 'systemd-networkd', more: Partial<HostState>) =>
		hostWith([{ ...primary, managedBy }], { routes, ...more })
	const both = { networkd: true, networkmanager: true, generator: '/usr/libexec/netplan/generate' }
	test.each<[title: string, host: HostState, backend: string | RegExp]>([
		['netplan, where networkd manages the primary link', by('systemd-networkd', both), 'netplan-networkd'],
		['netplan, where NetworkManager manages the primary link', by('NetworkManager', both), 'netplan-networkmanager'],
		['netplan and NetworkManager without networkd', hostWith([], { networkmanager: true, generator: '/g' }), 'netplan-networkmanager'],
		[
			'netplan with renderer NetworkManager, where neither daemon runs',
			hostWith([], { files: { '/etc/netplan/01.yaml': file('network: {renderer: NetworkManager}') } }),
			'netplan-networkmanager',
		],
		['NetworkManager and an empty netplan directory', hostWith([], { networkmanager: true, keyfiles: true }), 'networkmanager-keyfile'],
		[
			'an ifcfg file of the primary link',
			by('NetworkManager', { netplan: false, networkmanager: true, files: { '/etc/sysconfig/network-scripts/ifcfg-eth0': file('') } }),
			'ifcfg',
		],
		[
			'an ifcfg file of another link, which an upgrade left over',
			by('NetworkManager', {
				netplan: false,
				networkmanager: true,
				files: { '/etc/sysconfig/network-scripts/ifcfg-eth7': file('DEVICE=eth7') },
			}),
			'networkmanager-keyfile',
		],
		[
			'only systemd-networkd',
			hostWith([], { netplan: false, networkd: true, keyfiles: true }),
			/^found neither netplan.*supported only together with netplan$/,
		],
		[
			'no network configuration system',
			hostWith([], { netplan: false }),
			/^found neither netplan nor NetworkManager nor ifcfg files in \S+$/,
		],
	])('is determined for a host with %s', (_, host, backend) => {
		expect(Object.values(backendOf(host))[0]).toEqual(typeof backend === 'string' ? backend : expect.stringMatching(backend))
	})
})

/** Mimics cloud-init: one definition per NIC, the one for `mac` first. */
function netplan(ours: string, other: string): string {
	const definition = (id: string, address: string, more: string) => [
		`        ${id}:`,
		'            # its own',
		'            match:',
		`                macaddress: "${address.toUpperCase()}"`,
		`            ${more}`,
	]
	const all = [...definition('ens8', mac, ours), ...definition('ens7', 'fa:16:3e:00:00:77', other)]
	return ['network:', '    version: 2', '    ethernets:', ...all, ''].join('\n')
}

describe('a NIC after a reboot', () => {
	const nic = wantedNic({ mtu: 1450 })
	test.each<[title: string, files: Record<string, ReturnType<typeof file>>, reason: string | undefined]>([
		['keeps its configuration if no other file contains its MAC', {}, undefined],
		[
			'may lose its configuration if another netplan file defines it without a name',
			{ '/etc/netplan/60-a.yaml': file(`network: {ethernets: {a: {match: {macaddress: ${mac}}}}}`) },
			'NotPersistent',
		],
		[
			'may lose its configuration if another netplan file with its MAC is not a YAML mapping',
			{ '/etc/netplan/60-a.yaml': file(mac) },
			'NotPersistent',
		],
		[
			'keeps its configuration if another netplan file sets a different name, which the udev rule of MultiNIC overrides',
			{ '/etc/netplan/60-a.yaml': file(`network: {ethernets: {a: {match: {macaddress: ${mac}}, set-name: ens7}}}`) },
			undefined,
		],
		[
			'keeps its configuration if another netplan file has its MAC in a comment',
			{ '/etc/netplan/60-a.yaml': file(`# ${mac}\nnetwork: {version: 2}`) },
			undefined,
		],
		[
			'keeps its configuration if another netplan file renames it and not another NIC',
			{ '/etc/netplan/60-a.yaml': file(netplan('set-name: ens8', '')) },
			undefined,
		],
		[
			'may lose its configuration if another netplan file renames another NIC and not it',
			{ '/etc/netplan/60-a.yaml': file(netplan('', 'set-name: ens7')) },
			'NotPersistent',
		],
		[
			'keeps its configuration if another netplan file renames it, in flow style',
			{ '/etc/netplan/60-a.yaml': file(`network:\n ethernets:\n  a: {match: {macaddress: ${mac}}, set-name: ens8}\n  b: {dhcp4: true}\n`) },
			undefined,
		],
		[
			'may lose its configuration if another netplan file renames other NICs and not it, in flow style',
			{
				'/etc/netplan/60-a.yaml': file(
					`network:\n ethernets:\n  b: {set-name: b}\n  a: {match: {macaddress: ${mac}}}\n  c: {set-name: c}\n`,
				),
			},
			'NotPersistent',
		],
		[
			'keeps its configuration if an earlier udev rule names it',
			{ '/etc/udev/rules.d/70-persistent-net.rules': file(`ATTR{address}=="${mac}", NAME="ens7"`) },
			undefined,
		],
		[
			'may lose its configuration if a later udev rule names it',
			{ '/etc/udev/rules.d/99-zz.rules': file(`ATTR{address}=="${mac}", NAME="ens7"`) },
			'NotPersistent',
		],
		[
			'may lose its configuration if an earlier .network file matches every link',
			{ '/etc/systemd/network/05-all.network': file('[Match]\nName=*\n'), '/run/systemd/network/10-netplan-multinic3.network': file('') },
			'NotPersistent',
		],
		[
			'keeps its configuration if a later .network file matches every link',
			{
				'/etc/systemd/network/99-all.network': file('[Match]\nName=*\n'),
				'/run/systemd/network/10-netplan-multinic3.network': file('[Match]\nName=multinic3\n'),
			},
			undefined,
		],
	])('%s', (_, files, reason) => {
		expect(contradiction(nic, hostWith([], { files }))?.reason).toBe(reason)
	})

	test('loses a route of a family without an address if NetworkManager configures it', () => {
		const odd = wantedNic({ address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: 'fd00::1' })
		expect(contradiction(odd, backends['networkmanager-keyfile']?.host ?? hostWith([]))).toMatchObject({
			reason: 'NotPersistent',
			message: expect.stringContaining('the route to ::/0 of multinic3, which has no IPv6 address'),
		})
	})

	test('may lose its configuration if the kernel command line contains a network-config for cloud-init, despite any cloud-init file', () => {
		const host = hostWith([], { cloudInit: { macs: [mac], forced: true } })
		expect(contradiction(nic, host)).toMatchObject({ reason: 'CloudInitConflict', message: expect.stringContaining('network-config=') })
	})
})

describe('MultiNIC disables network configuration by cloud-init', () => {
	const nic = wantedNic({})
	const cloud = { '/etc/netplan/50-cloud-init.yaml': file(`macaddress: ${mac.toUpperCase()}`) }
	const remembered = { cloudInit: { macs: [mac], forced: false } }
	test.each<[title: string, host: HostState, told: boolean]>([
		['not if cloud-init has no configuration for the NIC', hostWith([]), false],
		['if the netplan file of cloud-init contains the MAC of the NIC', hostWith([], { files: cloud }), true],
		['if the saved data of cloud-init contains the MAC of the NIC', hostWith([], remembered), true],
		[
			'not if another file already disables it',
			hostWith([], { ...remembered, files: { '/etc/cloud/cloud.cfg.d/99-x.cfg': file('network: {config: disabled}') } }),
			false,
		],
		['not if cloud-init is disabled', hostWith([], { ...remembered, files: { '/etc/cloud/cloud-init.disabled': file('') } }), false],
		[
			'if cloud-init reads its network configuration at every boot',
			hostWith([], { cloudInit: { macs: [], forced: false, everyBoot: true } }),
			true,
		],
		[
			'not if cloud-init would read it at every boot and another file already disables it',
			hostWith([], {
				cloudInit: { macs: [], forced: false, everyBoot: true },
				files: { '/etc/cloud/cloud.cfg.d/10-x.cfg': file('network:\n  config: disabled\n') },
			}),
			false,
		],
	])('%s', (_, host, told) => {
		expect(cloudInitFiles(nic, host)).toEqual(
			told ? { '/etc/cloud/cloud.cfg.d/99-multinic.cfg': file(expect.stringContaining('network: {config: disabled}\n')) } : {},
		)
	})
})

describe('cloud-init reads its network configuration', () => {
	test.each<[title: string, settings: string[], cloud: string, everyBoot: boolean]>([
		['once, on OpenStack', ['users: [default]\n'], 'openstack\n', false],
		['once, from a config drive', [], 'configdrive', false],
		['at every boot, on EC2', [''], 'aws\n', true],
		['at every boot, on Azure', [''], 'azure', true],
		['once on EC2 if a file sets boot-new-instance', ['updates: {network: {when: [boot-new-instance]}}'], 'aws', false],
		['at every boot if a file sets boot', ['', 'updates:\n  network:\n    when: [boot-new-instance, boot]\n'], 'openstack', true],
		[
			'at every boot if a file sets boot in a block list',
			['updates:\n  network:\n    when:\n      - boot-new-instance\n      - boot\n'],
			'',
			true,
		],
		[
			'whenever a NIC is plugged in if a file sets hotplug',
			['updates:\n  network:\n    when: ["boot-new-instance", "hotplug"]\n'],
			'openstack',
			true,
		],
		['at every boot if a file sets boot-legacy', ['updates: {network: {when: [boot-legacy]}}'], '', true],
		['once if only a comment contains the setting', ['# updates: {network: {when: [boot]}}\n'], 'openstack', false],
		[
			'according to the last file with the setting',
			['updates: {network: {when: [boot]}}', 'updates: {network: {when: [boot-new-instance]}}'],
			'',
			false,
		],
		['once if updates are only set for storage', ['updates: {storage: {when: [boot]}}'], 'openstack', false],
	])('%s', (_, settings, cloud, everyBoot) => expect(readsAtEveryBoot(settings, cloud)).toBe(everyBoot))
})

describe('a .network file', () => {
	const link = { names: ['multinic0'], mac }
	test.each<[match: string, isForIt: boolean]>([
		['Name=multinic0', true],
		['Name=en* eth*', false],
		['Name=ens7', false],
		['Name=*', true],
		['Name=multinic[0-4]', true],
		['Name=multinic[!0-4]', false],
		['Name=!multinic* lo', false],
		['Name=!en*', true],
		['Type=ether', true],
		['Type=wlan\nWLANInterfaceType=ad-hoc', false],
		['Kind=bridge', false],
		[`MACAddress=${mac.toUpperCase()}`, true],
		['PermanentMACAddress=fa:16:3e:00:00:02', false],
		[`PermanentMACAddress=${mac}\nName=ens4`, false],
		['', true],
		['Name=[', false],
		['Name=en*\nName=multinic0', true],
		['Name=multinic0\nName=\nName=en*', false],
		['Name=!lo\nName=multinic*', true],
		['Name=multinic0\n\n[Link]\nMTUBytes=1400\n\n[Match]\nType=wlan', false],
		['Path=pci-0000:00:07.0', true],
		['Driver=virtio_net', true],
		['Property=ID_NET_DRIVER=virtio_net', true],
		['Host=other', true],
	])('with [Match] %j applies to multinic0: %s', (match, isForIt) => {
		expect(isFor(`[Match]\n${match}\n\n[Network]\nDHCP=yes\nName=multinic0\n`, link)).toBe(isForIt)
	})
})

describe('the .network file that networkd uses for a NIC after a reboot', () => {
	const nic = wantedNic({ mtu: 1450 })
	const [ours, theirs] = ['/run/systemd/network/10-netplan-multinic3.network', '/run/systemd/network/10-netplan-all-en.network']
	const catchAll = { [theirs]: file('[Match]\nName=en*\n\n[Network]\nDHCP=ipv4\n'), [ours]: file('[Match]\nName=multinic3\n') }
	const record = (original: object) => ({
		'/var/lib/multinic/record.json': file(
			JSON.stringify({
				version: 1,
				links: [
					{
						...{ mac, id: 3, name: 'multinic3', addresses: [], routes: [], files: {} },
						original: { name: 'ens7', altnames: [], mtu: 1500, up: false, sysctls: {}, ...original },
					},
				],
			}),
		),
	})
	const link = (more: object = {}) => ({ ifindex: 4, name: 'multinic3', mac, ...more })
	test.each<[title: string, link: ReturnType<typeof link>, files: HostState['files'], says: RegExp | undefined]>([
		['is the file of MultiNIC if the other file does not match any name of the NIC', link(), catchAll, undefined],
		[
			'is the other file if it matches an alternative name of the NIC',
			link({ altnames: ['enp0s7'] }),
			catchAll,
			/all-en.network to multinic3, which also has the name enp0s7/,
		],
		[
			'is the other file if it matches the original name, which udev may add as an alternative name',
			link(),
			{ ...catchAll, ...record({ altnames: ['enp0s7'] }) },
			/also has the name ens7/,
		],
		['is the file of MultiNIC if the NIC originally had no alternative name', link(), { ...catchAll, ...record({}) }, undefined],
		[
			'is the file of MultiNIC if networkd already uses it',
			link({ networkFile: ours }),
			{ ...catchAll, ...record({ altnames: ['enp0s7'] }) },
			undefined,
		],
		[
			'is the file of MultiNIC if the other file sorts after it',
			link({ altnames: ['enp0s7'], networkFile: '/etc/systemd/network/90-all.network' }),
			{ [ours]: file('[Match]\nName=multinic3\n'), '/etc/systemd/network/90-all.network': file('[Match]\nName=en*\n') },
			undefined,
		],
		[
			'is the other file if a drop-in makes it match the NIC',
			link(),
			{ ...catchAll, '/etc/systemd/network/10-netplan-all-en.network.d/more.conf': file('[Match]\nName=multinic*\n') },
			/all-en.network/,
		],
		[
			'is the file of MultiNIC if a drop-in makes the other file not match the NIC',
			link({ altnames: ['enp0s7'] }),
			{ ...catchAll, '/etc/systemd/network/10-netplan-all-en.network.d/more.conf': file('[Match]\nName=\nName=eth*\n') },
			undefined,
		],
		[
			'is the file of MultiNIC if the other file is masked',
			link({ altnames: ['enp0s7'] }),
			{ ...catchAll, '/etc/systemd/network/10-netplan-all-en.network': file('') },
			undefined,
		],
		[
			'is the other file if it matches an alternative name and makes the NIC unmanaged',
			link({ altnames: ['enp0s7'] }),
			{ ...catchAll, [theirs]: file('[Match]\nName=enp*\n\n[Link]\nUnmanaged=yes\n') },
			/all-en/,
		],
		[
			'may be an unreadable file that networkd uses now',
			link({ networkFile: '/run/systemd/network/10-a.network' }),
			{ [ours]: file('[Match]\nName=multinic3\n') },
			/from \/run\/systemd\/network\/10-a.network, which cannot be read/,
		],
	])('%s', (_, nicLink, files, says) => {
		const found = contradiction(nic, hostWith([nicLink], { files }))
		expect(found).toEqual(says && { reason: 'NotPersistent', message: expect.stringMatching(says) })
	})
})

describe('the name that udev assigns', () => {
	const rule = '/etc/udev/rules.d/99-z-multinic0.rules'
	test.each<[title: string, said: string[], naming: ReturnType<typeof lastNamed>]>([
		[
			'is set by the last rule with a name',
			["multinic0: /lib/udev/80-net-setup-link.rules:11 NAME 'ens4'", `multinic0: ${rule}:2 NAME 'multinic0'`],
			{ name: 'multinic0', by: rule },
		],
		[
			'is parsed from the output of older versions of udev',
			["NAME 'ens4' /lib/udev/rules.d/80-net-setup-link.rules:9", `NAME 'multinic0' ${rule}:2`],
			{ name: 'multinic0', by: rule },
		],
		['is parsed from the output of newer versions of udev', [`multinic0: ${rule}:2 NAME="multinic0"`], { name: 'multinic0', by: rule }],
		['is unknown if no rule sets a name', ['ID_NET_NAME=ens4', 'ID_NET_LINK_FILE=/x.link', `multinic0: ${rule}:2 RUN 'x'`], undefined],
	])('%s', (_, said, naming) => {
		expect(lastNamed(said.join('\n'))).toEqual(naming)
	})
})

describe('the check of a profile as read by NetworkManager', () => {
	const nic = wantedNic(
		{
			address: '10.0.0.23',
			cidr: '10.0.0.0/24',
			addresses: ['10.0.0.24/24'],
			mtu: 1450,
			routes: [
				{ to: '10.9.0.0/16', via: '10.0.0.7', metric: 50 },
				{ to: '10.8.0.0/16', metric: 7, table: 254 },
			],
		},
		['10.244.0.0/16', 'fd44::/56'],
	)
	const right = [
		'connection.interface-name:multinic3',
		'802-3-ethernet.mtu:1450',
		'ipv4.method:manual',
		'ipv4.route-metric:0',
		'ipv4.addresses:10.0.0.23/24, 10.0.0.24/24',
		'ipv4.routes:10.9.0.0/16 10.0.0.7 50 table=103, 10.8.0.0/16 0.0.0.0 7, 10.0.0.0/24 table=103',
		`ipv4.routing-rules:${[
			'priority 9993 from 10.0.0.23 to 10.244.0.0/16 table 254',
			'priority 9993 from 10.0.0.24 to 10.244.0.0/16 table 254',
			'priority 10003 from 10.0.0.23 table 103',
			'priority 10003 from 10.0.0.24 table 103',
		].join(', ')}`,
		'ipv6.method:ignore',
	].join('\n')
	test.each<[title: string, said: string, faults: RegExp[]]>([
		['reports nothing if all values are as desired', right, []],
		['reports a different metric for connected routes', right.replace('metric:0', 'metric:-1'), [/route-metric is -1, not 0/]],
		['reports a different MTU', right.replace('1450', 'auto'), [/mtu is auto, not 1450/]],
		['ignores the order of routes', right.replace(/(10\.9.*103), (10\.8.* 7), /, '$2, $1, '), []],
		['reports a missing route', right.replace(', 10.0.0.0/24 table=103', ''), [/routes is .*, not .*10\.0\.0\.0\/24 table 103/]],
		['reports a route with a different next hop', right.replace('10.0.0.7', '10.0.0.8'), [/routes is .*10\.0\.0\.8/]],
		[
			'reports a route in a different table',
			right.replace('50 table=103', '50'),
			[/routes is .*, not .*10\.9\.0\.0\/16 via 10\.0\.0\.7 table 103/],
		],
		['reports an additional route', right.replace('routes:', 'routes:10.5.0.0/16 table=103, '), [/routes is 10\.5/]],
		['reports a missing address', right.replace(', 10.0.0.24/24', ''), [/addresses is 10\.0\.0\.23\/24, not/]],
		['reports a missing field of rules', right.replace(/ipv4\.routing-rules.*\n/, ''), [/does not report ipv4\.routing-rules/]],
	])('%s', (_, said, faults) => {
		expect(profileFaults(nic, said)).toEqual(faults.map(words => expect.stringMatching(words)))
	})
})

describe('another NetworkManager profile', () => {
	const nic = wantedNic({})
	const line = (type: string, autoconnect: string, priority: string) => `11:${type}:${autoconnect}:${priority}:Wired: 1\n`
	test.each<[title: string, said: string, isRival: boolean]>([
		['is a rival if it has the priority of MultiNIC profiles', line('802-3-ethernet', 'yes', '999'), true],
		['is not a rival if it has a lower priority', line('802-3-ethernet', 'yes', '998'), false],
		['is not a rival if it is not activated automatically', line('802-3-ethernet', 'no', '999'), false],
		['is not a rival if it is for other types of devices', line('bridge', 'yes', '999'), false],
	])('%s', (_, said, isRival) => expect(rivals(said, new Set(['22']))).toEqual(isRival ? [{ uuid: '11', name: 'Wired: 1' }] : []))

	test('is not a rival if MultiNIC manages it', () => expect(rivals(line('802-3-ethernet', 'yes', '999'), new Set(['11']))).toEqual([]))

	test.each<[ifname: string, address: string, isFit: boolean]>([
		['', '', true],
		['multinic3', '', true],
		['ens7', '', false],
		['', mac.toUpperCase(), true],
		['', 'FA:16:3E:00:00:99', false],
		['multinic3', 'FA:16:3E:00:00:99', false],
	])('with name %j and MAC %j applies to the NIC: %s', (ifname, address, isFit) => {
		expect(isProfileFor(nic, `connection.interface-name:${ifname}\n802-3-ethernet.mac-address:${address}\n`)).toBe(isFit)
	})
})

const anyPodNetworks = fc.subarray(['10.244.0.0/16', '10.9.0.0/24', '192.0.2.7/32', 'fd44::/56', 'fd00::/16'])

const anyNic = fc.record(
	{
		mtu: fc.integer({ min: 1280, max: 9000 }),
		address: fc.constant('10.0.0.23'),
		cidr: fc.constant('10.0.0.0/24'),
		gateway: fc.constantFrom('10.0.0.1', '10.9.0.1'),
		addresses: fc.uniqueArray(fc.constantFrom('10.1.0.2/16', 'fd00::2/64', 'fd01::3/128', '192.0.2.9/32'), { maxLength: 4 }),
		defaultRoute: fc.boolean(),
		policyRouting: fc.boolean(),
	},
	{ requiredKeys: ['address', 'cidr'] },
) as fc.Arbitrary<Partial<Interface>>

function meant(nic: WantedInterface): Said {
	return {
		name: nic.name,
		mac: nic.macAddress,
		...(nic.mtu !== undefined && { mtu: nic.mtu }),
		addresses: addressesOf(nic),
		routes: routesOf(nic, 0).map(({ to, via, table, metric, onlink, family }) =>
			routeWords({ to, via, table, onlink, metric: metric === (family === 6 ? 1024 : 0) ? undefined : metric }),
		),
		rules: rulesOf(nic).map(({ priority, from, to, table }) => `priority ${priority} from ${from}${to ? ` to ${to}` : ''} table ${table}`),
	}
}

/** Backends separate the families; the order matters only within one family. */
function sorted({ addresses, routes, rules, ...said }: Said): Said {
	const byFamily = (words: string[], at: (word: string) => string) =>
		[4, 6].flatMap(family => words.filter(word => familyOf(at(word)) === family))
	return {
		...said,
		addresses: byFamily(addresses, word => word),
		routes: byFamily(routes, word => word.split(' ')[0] ?? ''),
		rules: byFamily(rules, word => word.split(' ')[3] ?? ''),
	}
}

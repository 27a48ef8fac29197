import { describe, expect, test } from 'vitest'
import { diffOf } from '../../agent/report/plan-diff.ts'
import { disruptionOf } from '../../agent/report/disruption.ts'
import { driftOf, driftWords } from '../../agent/report/drift.ts'
import { shownCommand } from '../../agent/report/shown-command.ts'
import type { HostState, Link } from '../../agent/model/host-state.ts'
import { plan } from '../../agent/plan/plan.ts'
import { reportText } from '../../agent/report/report-text.ts'
import type { Change, Notice, Step } from '../../agent/model/change.ts'
import type { AgentReport, Drift } from '../../contract/agent-run.ts'
import { Interfaces, settle } from '../../contract/interface.ts'
import { REPORT_MAX_BYTES } from '../../contract/names.ts'
import { hostWith } from './simulated-host.ts'

const mac = 'fa:16:3e:37:c3:f1'
const address = (cidr: string, dynamic = false) => ({
	family: cidr.includes(':') ? (6 as const) : (4 as const),
	cidr,
	global: true,
	dynamic,
})
const link = (more: Partial<Link> = {}): Link => hostWith([{ ifindex: 3, name: 'ens7', mac, up: true, ...more }]).links[0] as Link
const rename: Change = { kind: 'rename', link: 3, to: 'multinic0' }
const down: Change = { kind: 'down', link: 3 }
const up: Change = { kind: 'up', link: 3 }
const unmanage: { action: Notice } = { action: { kind: 'unmanage', link: 3, name: 'ens7' } }
const mtu = (bytes: number): Change => ({ kind: 'mtu', link: 3, bytes })
const four = address('10.0.0.9/24')
const six = address('fd00::9/64')
const route = {
	family: 4 as const,
	to: '0.0.0.0/0',
	via: '10.0.0.1',
	link: 3,
	table: 100,
	metric: 0,
	protocol: 4,
	type: 1,
	scope: 0,
	onlink: false,
}
const rule = { family: 4 as const, priority: 10_000, from: '10.0.0.9/32', table: 100, plain: true, words: '' }

describe('the disruption of a link', () => {
	test.each<[title: string, link: Link, does: (Change | { action: Notice })[], is: string]>([
		['that is down is None', link({ up: false }), [rename, mtu(1400), up], 'None'],
		[
			'that gets an address and a route is None',
			link({ addresses: [four] }),
			[
				{ kind: 'addAddress', link: 3, address: six },
				{ kind: 'addRoute', route },
			],
			'None',
		],
		[
			'for which only a file is written is None',
			link(),
			[{ kind: 'writeFile', path: '/a', file: { content: '', mode: 0o644, gid: 0 } }],
			'None',
		],
		[
			'that systemd-networkd manages and that is renamed is AddressLost',
			link({ addresses: [four], managedBy: 'systemd-networkd' }),
			[rename],
			'AddressLost',
		],
		['that NetworkManager releases is AddressLost', link({ addresses: [four], managedBy: 'NetworkManager' }), [unmanage], 'AddressLost'],
		['that NetworkManager releases and that has no address is Blip', link(), [unmanage], 'Blip'],
		['that is renamed while it is up is Blip', link(), [rename], 'Blip'],
		['that is set down is Blip', link({ addresses: [four] }), [down, rename, up], 'Blip'],
		['that gets a different MTU is Blip', link(), [mtu(1400)], 'Blip'],
		['that loses a route is Blip', link(), [{ kind: 'removeRoute', route }], 'Blip'],
		['that loses a rule is Blip', link(), [{ kind: 'removeRule', rule }], 'Blip'],
		[
			'that loses an address is AddressLost',
			link({ addresses: [four] }),
			[{ kind: 'removeAddress', link: 3, address: four }],
			'AddressLost',
		],
		[
			'that is down and loses an address is AddressLost',
			link({ up: false, addresses: [four] }),
			[{ kind: 'removeAddress', link: 3, address: four }],
			'AddressLost',
		],
		[
			'with an IPv6 address that is set down for a moment is AddressLost',
			link({ addresses: [six] }),
			[down, rename, up, { kind: 'addAddress', link: 3, address: six }],
			'AddressLost',
		],
		[
			'with an IPv6 address and an MTU that becomes too small for IPv6 is AddressLost',
			link({ addresses: [six] }),
			[mtu(1000)],
			'AddressLost',
		],
	])('%s', (_, own, does, is) => {
		const steps = does.map((one): Step => ('action' in one ? one : { change: one }))
		const { class: found, because } = disruptionOf(steps, own)
		expect(found).toBe(is)
		expect(because).toMatch(/\S/)
	})
})

describe('drift', () => {
	const host = (more: Partial<Link> = {}, rest: Partial<HostState> = {}) => ({ ...hostWith([]), links: [link(more)], ...rest })
	const file = (content: string, mode = 0o644) => ({ content, mode, gid: 0 })
	test.each<[says: string, host: HostState, change: Change, drift: Omit<Drift, 'attribute'> & { attribute: string }]>([
		['name is ens7, not multinic0', host(), rename, { attribute: 'name', wanted: 'multinic0', found: 'ens7' }],
		['mtu is 1500, not 1450', host(), mtu(1450), { attribute: 'mtu', wanted: '1450', found: '1500' }],
		['state is down, not up', host({ up: false }), up, { attribute: 'state', wanted: 'up', found: 'down' }],
		[
			'10.0.0.9/24 is missing',
			host(),
			{ kind: 'addAddress', link: 3, address: four },
			{ attribute: 'address', wanted: '10.0.0.9/24', found: 'missing' },
		],
		[
			'10.0.0.9/24 is unexpected',
			host({ addresses: [four] }),
			{ kind: 'removeAddress', link: 3, address: four },
			{ attribute: 'address', wanted: 'none', found: '10.0.0.9/24' },
		],
		[
			'address is 10.0.0.9/24 (a lease), not 10.0.0.9/24',
			host({ addresses: [address('10.0.0.9/24', true)] }),
			{ kind: 'addAddress', link: 3, address: four },
			{ attribute: 'address', wanted: '10.0.0.9/24', found: '10.0.0.9/24 (a lease)' },
		],
		[
			'route 0.0.0.0/0 via 10.0.0.1 table 100 is missing',
			host(),
			{ kind: 'addRoute', route },
			{ attribute: 'route', wanted: '0.0.0.0/0 via 10.0.0.1 table 100', found: 'missing' },
		],
		[
			'rule from 10.0.0.9/32 table 100 priority 10000 is unexpected',
			host({}, { rules: [rule] }),
			{ kind: 'removeRule', rule },
			{ attribute: 'rule', wanted: 'none', found: 'from 10.0.0.9/32 table 100 priority 10000' },
		],
		[
			'ipv4/arp_ignore is 0, not 1',
			host({ sysctls: { 'ipv4/arp_ignore': '0' } }),
			{ kind: 'sysctl', name: 'ens7', key: 'ipv4/arp_ignore', value: '1' },
			{ attribute: 'sysctl', of: 'ipv4/arp_ignore', wanted: '1', found: '0' },
		],
		[
			'altname multinic0 is unexpected',
			host({ altnames: ['multinic0'] }),
			{ kind: 'removeAltname', link: 3, name: 'multinic0' },
			{ attribute: 'altname', wanted: 'none', found: 'multinic0' },
		],
		[
			'/a is missing',
			host(),
			{ kind: 'writeFile', path: '/a', file: file('x') },
			{ attribute: 'file', of: '/a', wanted: 'there', found: 'missing' },
		],
		[
			'/a is unexpected',
			host({}, { files: { '/a': file('x') } }),
			{ kind: 'removeFile', path: '/a' },
			{ attribute: 'file', of: '/a', wanted: 'none', found: 'there' },
		],
		[
			'/a has different content, not the expected content',
			host({}, { files: { '/a': file('a secret') } }),
			{ kind: 'writeFile', path: '/a', file: file('x') },
			{ attribute: 'file', of: '/a', wanted: 'the expected content', found: 'different content' },
		],
		[
			'/a has mode 644, not mode 600',
			host({}, { files: { '/a': file('x') } }),
			{ kind: 'writeFile', path: '/a', file: file('x', 0o600) },
			{ attribute: 'file', of: '/a', wanted: 'mode 600', found: 'mode 644' },
		],
	])('%s', (says, state, change, drift) => {
		expect(driftOf([{ id: 0, change }], state)).toEqual([drift])
		expect(driftWords(drift as Drift)).toBe(says)
	})

	test('excludes changes that only serve a rename: setting the link down, a temporary name, an address that is added again', () => {
		const steps = [
			down,
			{ kind: 'rename' as const, link: 3, to: 'mntmp3' },
			rename,
			up,
			{ kind: 'addAddress' as const, link: 3, address: six },
		]
		expect(
			driftOf(
				steps.map(change => ({ id: 0, change })),
				host({ addresses: [six] }),
			),
		).toEqual([{ attribute: 'name', wanted: 'multinic0', found: 'ens7' }])
	})

	test('without an interface contains the name of the link', () => {
		expect(driftOf([{ change: mtu(1450) }], host()).map(driftWords)).toEqual(['ens7: mtu is 1500, not 1450'])
	})
})

describe('a plan as text', () => {
	const nics = settle(Interfaces.parse([{ id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }]))
	const start = { ...hostWith([]), links: [link({ sysctls: { 'ipv4/rp_filter': '1' } })] }
	const { steps } = plan({ interfaces: nics, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }, start, {})
	const diff = diffOf(steps, start)

	test('has every step in order, as a command that an operator could type', () => {
		expect(diff.commands).toEqual([
			'sysctl -w net/ipv4/conf/ens7/rp_filter=2',
			'ip link set dev if3 name multinic0',
			'ip link set dev if3 mtu 1450',
			'arping -D -c 2 -w 2 -I multinic0 10.0.0.23',
			'ip addr replace 10.0.0.23/24 brd + dev if3',
			'ip route replace 10.0.0.0/24 dev if3 table 100 scope 253 proto 4',
			'ip rule add from 10.0.0.23/32 priority 10000 table 100 protocol 4',
			expect.stringMatching(/^write \/etc\/netplan\/99-multinic0\.yaml$/),
			...diff.commands.slice(8),
		])
		expect(diff.links).toEqual({ if3: 'ens7' })
		expect(shownCommand({ change: { kind: 'addRule', rule: { ...rule, family: 6, from: 'fd00::9/128' } } })).toMatch(
			/^ip -6 rule add from fd00::9\/128/,
		)
	})

	test('has the content of managed files, and only the length of other files', () => {
		const secret = { path: '/etc/netplan/50-cloud-init.yaml', file: { content: 'password: hush', mode: 0o600, gid: 0 } }
		const { files } = diffOf([...steps, { change: { kind: 'writeFile', ...secret } }], start)
		expect(files.find(({ path }) => path.endsWith('99-multinic0.yaml'))).toMatchObject({
			action: 'create',
			content: expect.stringContaining('10.0.0.23'),
		})
		expect(files.find(({ path }) => path === '/var/lib/multinic/record.json')).not.toHaveProperty('content')
		expect(files.at(-1)).toEqual({ path: secret.path, action: 'create', mode: '600', bytes: 14 })
	})

	test('with more commands than fit into a report contains the number of omitted commands', () => {
		const commands = Array.from({ length: 2_000 }, (_, n) => `ip route add 10.0.0.0/8 via 10.0.0.1 dev if3 table ${n}`)
		const text = reportText({ interfaces: [], message: '', plan: { ...diff, commands } } as unknown as AgentReport)
		expect(Buffer.byteLength(text)).toBeLessThanOrEqual(REPORT_MAX_BYTES)
		const told = (JSON.parse(text) as AgentReport).plan?.commands ?? []
		expect(told.slice(0, -1)).toEqual(commands.slice(0, 1_000))
		expect(told.at(-1)).toBe('and 1000 more (see the log)')
	})

	test('that is too long for a report omits the longest file contents first and keeps every command', () => {
		const long = (n: number, length: number) => ({
			path: `/etc/netplan/99-multinic${n}.yaml`,
			action: 'create' as const,
			content: 'x'.repeat(length),
		})
		const report = { interfaces: [], message: '', plan: { ...diff, files: [long(0, 1_000), long(1, 60_000), long(2, 9_000)] } }
		const text = reportText(report as unknown as AgentReport)
		expect(Buffer.byteLength(text)).toBeLessThanOrEqual(REPORT_MAX_BYTES)
		const told = JSON.parse(text) as AgentReport
		expect(told.plan?.commands).toEqual(diff.commands)
		expect(told.plan?.files.map(({ content }) => content?.length)).toEqual([1_000, undefined, 9_000])
	})
})

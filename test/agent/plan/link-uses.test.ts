import { describe, expect, test } from 'vitest'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import { lossesOf } from '../../../agent/plan/fingerprint.ts'
import { disturbance, namedByRule, ruleLost, type Shape, usesOf } from '../../../agent/plan/link-uses.ts'
import { plan } from '../../../agent/plan/plan.ts'
import { type Interface, Interfaces, settle } from '../../../contract/interface.ts'
import { afterEvery, hostWith, kindOf } from '../simulated-host.ts'

/** Other links that use a NIC, and rules that name it: an interface is refused only if the change would disturb them. */

const mac = (n: number) => `fa:16:3e:00:00:0${n}`
const nic = (id: number, more: Partial<Interface> = {}): Partial<Interface> => ({
	id,
	macAddress: mac(id),
	address: `10.0.${id}.23`,
	cidr: `10.0.${id}.0/24`,
	...more,
})
const wanted = (...nics: Partial<Interface>[]) => ({
	interfaces: settle(Interfaces.parse(nics)),
	nodeAddresses: [],
	kinds: new Set(['hardware']),
	failed: new Map(),
})
const fresh = hostWith([
	{ ifindex: 2, name: 'ens0', mac: mac(0), up: true },
	{ ifindex: 3, name: 'ens1', mac: mac(1) },
])

function changed(host: HostState, ...nics: Partial<Interface>[]): HostState {
	const { steps } = plan(wanted(...nics), host, {})
	return afterEvery(host, steps, false)
}

/** Both NICs after a run. */
const configured = changed(fresh, nic(0), nic(1))
const vlan: Partial<Link> = { name: 'vlan5', kind: 'vlan', lower: 2 }
const rule = (more: Partial<Rule>): Rule => ({
	family: 4,
	priority: 600,
	from: '0.0.0.0/0',
	table: 77,
	plain: false,
	words: 'from all lookup 77',
	...more,
})

function then(host: HostState, { others = [], first = {}, rules = [] }: Then): HostState {
	const added = hostWith(others.map((other, at) => ({ ifindex: 20 + at, name: 'other', mac: mac(9), up: true, ...other }))).links
	const links = host.links.map(link => (link.ifindex === 2 ? { ...link, ...first } : link))
	return { ...host, links: [...links, ...added], rules: [...host.rules, ...rules] }
}
type Then = { others?: Partial<Link>[]; first?: Partial<Link>; rules?: Rule[] }

const bridge = { name: 'br0', kind: 'bridge' }
type Row = [title: string, host: HostState, nics: Partial<Interface>[], says: RegExp]

describe('an interface is refused', () => {
	test.each<Row>([
		[
			'whose NIC is not managed yet and has a VLAN',
			then(fresh, { others: [vlan] }),
			[nic(0)],
			/^vlan5 is on top of ens0 \(ip -d link show dev vlan5\)$/,
		],
		[
			'whose NIC is not managed yet and is a port of a VRF',
			then(fresh, { first: { master: 'vrf1' } }),
			[nic(0)],
			/^ens0 is a port of vrf1 \(ip link show master vrf1\)$/,
		],
		[
			'that gets another id, and has a VLAN',
			then(configured, { others: [vlan] }),
			[nic(0, { id: 7 }), nic(1)],
			/^vlan5 is on top of multinic0, and multinic0 would be renamed to multinic7 \(/,
		],
		[
			'whose NIC was renamed and is a port of a bridge',
			then(configured, { others: [bridge], first: { name: 'lan0', master: 'br0' } }),
			[nic(0), nic(1)],
			/^lan0 is a port of br0, and lan0 would be renamed to multinic0 \(/,
		],
		[
			'whose MTU would be below that of its VLAN',
			then(configured, { others: [vlan] }),
			[nic(0, { mtu: 1400 }), nic(1)],
			/^vlan5 is on top of it, and it would get an MTU of 1400, but 1500 /,
		],
		[
			'whose MTU is the smallest of a bridge',
			then(configured, { others: [bridge, { name: 'tap0', kind: 'tun', master: 'br0', mtu: 9000 }], first: { master: 'br0' } }),
			[nic(0, { mtu: 9000 }), nic(1)],
			/^it is a port of br0, and it would get an MTU of 9000, which changes that of br0 /,
		],
		[
			'whose NIC has a VLAN and NetworkManager would have to release it',
			then({ ...configured, networkmanager: true }, { others: [vlan], first: { managedBy: 'NetworkManager' } }),
			[nic(0, { address: '10.0.0.24' }), nic(1)],
			/^vlan5 is on top of it, and NetworkManager would have to release it /,
		],
		[
			'whose NIC is named by a rule',
			then(fresh, { rules: [rule({ iif: 'ens0', words: 'from all iif ens0 lookup 254' })] }),
			[nic(0)],
			/^the rule 'from all iif ens0 lookup main' names ens0, and would not match its new name multinic0 \(ip rule show priority 600\)$/,
		],
		[
			'whose NIC is named by an IPv6 rule as its output',
			then(fresh, { rules: [rule({ family: 6, oif: 'ens0', words: '-6 from all oif ens0 lookup 77' })] }),
			[nic(0)],
			/names ens0, .* \(ip -6 rule show priority 600\)$/,
		],
		[
			'whose NIC is named by a rule with an alternative name',
			then(fresh, { first: { altnames: ['enp0s3'] }, rules: [rule({ iif: 'enp0s3' })] }),
			[nic(0)],
			/names ens0, .* \(ip rule show priority 600\)$/,
		],
		[
			'whose table is looked up by a rule',
			then(fresh, { rules: [rule({ table: 100, mark: { value: 0x400, mask: 0xfff }, words: 'from all fwmark 0x400/0xfff lookup 100' })] }),
			[nic(0)],
			/^the rule 'from all fwmark 0x400\/0xfff lookup 100' looks up table 100, .*\(ip rule show priority 600\)$/,
		],
		[
			'whose table is looked up by a rule with its priority and a mark',
			then(fresh, { rules: [rule({ priority: 10_000, table: 100, from: '10.0.0.9/32', mark: { value: 1, mask: 1 } })] }),
			[nic(0)],
			/looks up table 100/,
		],
		[
			'whose table is looked up by a rule with its priority and no address',
			then(fresh, { rules: [rule({ priority: 10_000, table: 100, plain: true })] }),
			[nic(0)],
			/looks up table 100/,
		],
		[
			'whose table is looked up by a rule for a network',
			then(fresh, { rules: [rule({ priority: 10_000, table: 100, plain: true, from: '10.0.0.0/24' })] }),
			[nic(0)],
			/looks up table 100/,
		],
		[
			'whose table is looked up by an IPv6 rule',
			then(fresh, { rules: [rule({ family: 6, table: 100, from: '::/0' })] }),
			[nic(0)],
			/ip -6 rule show priority 600/,
		],
	])('%s', (_, host, nics, says) => {
		const { refused } = plan(wanted(...nics), host, {})
		expect(refused).toMatchObject([{ refusal: { reason: 'InUse', message: expect.stringMatching(says) } }])
	})
})

describe('an interface is configured', () => {
	test.each<[title: string, host: HostState, nics: Partial<Interface>[], kinds: ReturnType<typeof kindOf>[] | undefined]>([
		[
			'and unchanged, although it has a VLAN and a macvlan',
			then(configured, { others: [vlan, { name: 'storage0', kind: 'macvlan', lower: 2 }] }),
			[nic(0), nic(1)],
			[],
		],
		[
			'and unchanged, although it is a port of a bridge',
			then(configured, { others: [bridge], first: { master: 'br0' } }),
			[nic(0), nic(1)],
			[],
		],
		[
			'and gets another address and a route, although it has a VLAN',
			then(configured, { others: [vlan] }),
			[nic(0, { gateway: '10.0.0.1', addresses: ['10.0.0.24/24'] }), nic(1)],
			['checkDuplicates', 'addAddress', 'addRoute', 'addRule', 'writeFile'],
		],
		[
			'and gets a larger MTU, although it has a VLAN',
			then(configured, { others: [vlan] }),
			[nic(0, { mtu: 9000 }), nic(1)],
			['mtu', 'writeFile'],
		],
		[
			'and gets a smaller MTU that the VLAN does not need',
			then(configured, { others: [{ ...vlan, mtu: 1400 }] }),
			[nic(0, { mtu: 1450 }), nic(1)],
			['mtu', 'writeFile'],
		],
		[
			'and gets another MTU, although its bridge has a smaller one',
			then(configured, { others: [{ ...bridge, mtu: 1400 }], first: { master: 'br0' } }),
			[nic(0, { mtu: 9000 }), nic(1)],
			['mtu', 'writeFile'],
		],
		[
			'and unchanged, although NetworkManager manages it and it has a VLAN',
			then(changed({ ...fresh, networkmanager: true }, nic(0), nic(1)), { others: [vlan], first: { managedBy: 'NetworkManager' } }),
			[nic(0), nic(1)],
			[],
		],
		['and unchanged, although a rule names it', then(configured, { rules: [rule({ iif: 'multinic0' })] }), [nic(0), nic(1)], []],
		[
			'and unchanged, although another program has added a rule for its table',
			then(configured, { rules: [rule({ table: 100, mark: { value: 1, mask: 1 } })] }),
			[nic(0), nic(1)],
			[],
		],
		['although its rules exist and the record is lost', { ...fresh, rules: configured.rules }, [nic(0), nic(1)], undefined],
	])('%s', (_, host, nics, kinds) => {
		const { refused, kept, steps } = plan(wanted(...nics), host, {})
		expect({ refused, kept }).toEqual({ refused: [], kept: [] })
		if (kinds) expect([...new Set(steps.map(kindOf))]).toEqual(kinds)
	})
})

describe('a link that is no longer desired', () => {
	test.each<[title: string, more: Then, says: RegExp]>([
		['and has a VLAN', { others: [vlan] }, /^vlan5 is on top of it, and it would be renamed to ens0 \(ip -d link show dev vlan5\)$/],
		['and is a port of a bridge', { others: [bridge], first: { master: 'br0' } }, /^it is a port of br0, and it would be renamed to ens0 /],
		[
			'and is named by a rule',
			{ rules: [rule({ oif: 'multinic0' })] },
			/^the rule '.*' names it, and would not match its new name ens0 \(ip rule show priority 600\)$/,
		],
	])('%s stays unchanged and in the record, and the other one is removed', (_, more, says) => {
		const host = then(configured, more)
		const { kept, released, steps } = plan(wanted(), host, {})
		expect(kept).toMatchObject([{ ours: { mac: mac(0) }, refusal: { reason: 'InUse', message: expect.stringMatching(says) } }])
		expect(released).toMatchObject([{ ours: { mac: mac(1) } }])
		const end = afterEvery(host, steps, false)
		expect(end.links[0]).toEqual(host.links[0])
		expect(end.routes.filter(({ link }) => link === 2)).toEqual(host.routes.filter(({ link }) => link === 2))
		expect(end.links[1]?.name).toBe('ens1')
		expect(end.files['/etc/netplan/99-multinic0.yaml']).toEqual(host.files['/etc/netplan/99-multinic0.yaml'])
		expect(plan(wanted(), end, {}).steps).toEqual([])
		const free = { ...end, links: end.links.slice(0, 2).map(({ master: _, ...link }) => link), rules: configured.rules }
		expect(changed(free).links.map(({ name }) => name)).toEqual(['ens0', 'ens1'])
	})

	test('keeps its table, so that the NIC that needs it is refused', () => {
		const { refused } = plan(wanted(nic(0, { macAddress: mac(1) })), then(configured, { others: [vlan] }), {})
		const message = expect.stringMatching(/^table 100 is needed for multinic0 and has a route to .* over multinic0 \(/)
		expect(refused).toMatchObject([{ refusal: { reason: 'InUse', message } }])
	})

	test('keeps its name, so that a NIC that needs no table is refused with the cause', () => {
		const { refused } = plan(wanted({ id: 0, macAddress: mac(1), policyRouting: false }), then(configured, { others: [vlan] }), {})
		expect(refused).toMatchObject([
			{
				refusal: {
					reason: 'NameTaken',
					message: expect.stringMatching(/^multinic0 is the name .*in use: vlan5 is on top of multinic0 \(/),
				},
			},
		])
	})

	test('that cannot be renamed keeps its name in a swap with another managed NIC', () => {
		const swap = [nic(0, { macAddress: mac(1) }), nic(1, { macAddress: mac(0) })]
		const { refused, accepted } = plan(wanted(...swap), then(configured, { others: [vlan] }), {})
		expect(accepted).toEqual([])
		expect(refused.map(({ nic: { id }, refusal }) => [id, refusal.reason])).toEqual([
			[1, 'InUse'],
			[0, 'InUse'],
		])
	})
})

test('a VLAN that comes up together with its NIC is not a loss; one that goes down is a loss', () => {
	const low = then(configured, { others: [{ ...vlan, up: false }], first: { up: false } })
	const high = then(configured, { others: [vlan] })
	const done = plan(wanted(nic(0), nic(1)), low, {})
	expect([lossesOf(done, low, high), lossesOf(done, high, low)]).toMatchObject([
		[],
		[{ words: expect.stringMatching(/^vlan5, .*, up; now .*, down$/) }],
	])
})

describe('the uses of a link', () => {
	const see = (name: string) => `ip -d link show dev ${name}`
	const onTop = (kind?: string): Partial<Link> => ({ name: 'top', lower: 2, mtu: 1400, ...(kind !== undefined && { kind }) })
	const found = { says: 'top is on top of ens0', see: see('top'), mtu: 1400 }
	const port = { says: 'ens0 is a port of br0', see: 'ip link show master br0', mtu: 9000 }
	const other = { ...bridge, mtu: 9000 }

	test.each<[title: string, others: Partial<Link>[], first: Partial<Link>, uses: ReturnType<typeof usesOf>]>([
		['are the links on top of it', [onTop('vlan'), onTop('macvlan')], {}, [found, found]],
		['include a link of unknown kind', [onTop()], {}, [found]],
		['do not include the peer of a veth pair', [onTop('veth')], {}, []],
		['do not include the peer of a netkit pair', [onTop('netkit')], {}, []],
		['do not include the peer of a vxcan pair', [onTop('vxcan')], {}, []],
		['do not include links on top of others', [{ ...onTop('vlan'), lower: 3 }], {}, []],
		['include its bridge, after the links on top of it', [other, onTop('vlan')], { master: 'br0' }, [found, port]],
		['include a bridge whose MTU is not known', [], { master: 'br0' }, [{ ...port, mtu: 0 }]],
		['do not include other bridges', [other], {}, []],
	])('%s', (_, others, first, uses) => {
		const host = then(fresh, { others, first })
		expect(usesOf(host.links[0] as Link, host)).toEqual(uses)
	})
})

describe('a rule names a link', () => {
	const names = { name: 'ens7', altnames: ['enp0s7'] } as unknown as Link
	const says = "the rule 'from all lookup 77' names"

	test.each<[title: string, more: Partial<Rule>, isNamed: boolean]>([
		['as its input', { iif: 'ens7' }, true],
		['as its output', { oif: 'ens7' }, true],
		['by an alternative name', { oif: 'enp0s7' }, true],
		['but not another link', { iif: 'ens8', oif: 'ens9' }, false],
		['but not without input and output', {}, false],
	])('%s', (_, more, isNamed) => {
		const host = then(fresh, { rules: [rule(more)] })
		const see = 'ip rule show priority 600'
		expect(namedByRule(names, host)).toEqual(isNamed ? { says: `${says} ens7`, see } : undefined)
		expect(namedByRule(names, host, 'it')?.says).toBe(isNamed ? `${says} it` : undefined)
		expect(ruleLost(names, 'ens7', { host })).toBe(undefined)
		expect(ruleLost(names, 'lan0', { host })?.says).toBe(isNamed ? `${says} ens7, and would not match its new name lan0` : undefined)
	})
})

describe('a change disturbs', () => {
	const next: Shape = { name: 'multinic0', mtu: 1500, up: true }
	const own = { name: 'multinic0', up: true, mtu: 1500 }
	const tap = { name: 'tap0', kind: 'tun', master: 'br0' }
	const ofBridge = (mtu: number, ...ports: number[]) => [
		{ ...bridge, mtu },
		...ports.map((bytes, at) => ({ ...tap, name: `tap${at}`, mtu: bytes })),
		{ name: 'tap9', kind: 'tun', mtu: 1000 },
	]
	const smaller = 'get an MTU of 1400, but 1500 is used there'

	test.each<[title: string, others: Partial<Link>[], to: Partial<Shape>, change: string | undefined, first?: Partial<Link>]>([
		['a VLAN by a rename', [vlan], { name: 'ens7' }, 'vlan5 is on top of it, and it would be renamed to ens7'],
		['a VLAN if the link goes down', [vlan], { up: false }, 'vlan5 is on top of it, and it would be set down'],
		['no VLAN if the link was down', [vlan], { up: false }, undefined, { up: false }],
		['a VLAN by a smaller MTU', [vlan], { mtu: 1400 }, `vlan5 is on top of it, and it would ${smaller}`],
		['no VLAN by an MTU that is not smaller than its own', [{ ...vlan, mtu: 1400 }], { mtu: 1400 }, undefined],
		['no VLAN by the current MTU of the link', [{ ...vlan, mtu: 9000 }], {}, undefined],
		[
			'the second of two VLANs',
			[
				{ ...vlan, mtu: 1400 },
				{ ...vlan, name: 'vlan6' },
			],
			{ mtu: 1400 },
			`vlan6 is on top of it, and it would ${smaller}`,
		],
		[
			'a bridge if the link had its smallest MTU',
			ofBridge(1500, 9000, 2000),
			{ mtu: 9000 },
			'it is a port of br0, and it would get an MTU of 9000, which changes that of br0',
			{ master: 'br0' },
		],
		[
			'a bridge, and not another one',
			[{ name: 'br1', kind: 'bridge' }, ...ofBridge(1500, 9000)],
			{ mtu: 9000 },
			'it is a port of br0, and it would get an MTU of 9000, which changes that of br0',
			{ master: 'br0' },
		],
		['no bridge if another port has the same MTU', ofBridge(1500, 1500), { mtu: 9000 }, undefined, { master: 'br0' }],
		['no bridge whose MTU is set explicitly', ofBridge(1300, 9000), { mtu: 9000 }, undefined, { master: 'br0' }],
		['no bridge by the current MTU of the link', ofBridge(1500, 9000), {}, undefined, { master: 'br0' }],
		['no VRF by a larger MTU', [{ name: 'br0', kind: 'vrf', mtu: 1500 }], { mtu: 9000 }, undefined, { master: 'br0' }],
		['no link on top of another NIC', [{ ...vlan, lower: 3 }], { name: 'ens7' }, undefined],
	])('%s', (...[, others, to, says, first = {}]) => {
		const host = then(fresh, { others, first: { ...own, ...first } })
		expect(disturbance(host.links[0] as Link, { ...next, ...to }, { subject: 'multinic0', host })?.says).toBe(says)
	})
})

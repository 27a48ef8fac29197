import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { addressesToProbe, addressesToProbeElsewhere, MOST_WIRES } from '../../agent/plan/addresses-to-probe.ts'
import { type ArpResult, parseArping } from '../../agent/host/arping.ts'
import { assertNoDuplicates, MOST_AT_ONCE } from '../../agent/host/duplicate-address.ts'
import type { CheckStep } from '../../agent/ip/batches.ts'
import { changesIn } from '../../agent/model/change.ts'
import type { ProgramOutput } from '../../agent/host/exec.ts'
import type { Link } from '../../agent/model/host-state.ts'
import type { Route } from '../../agent/model/route.ts'
import { readText } from '../../agent/host/read-files.ts'
import { ifInstalled } from '../../agent/host/optional-program.ts'
import { type NextProbe, nextProbe, type ProbeScope } from '../../agent/host/probe-neighbours.ts'
import { nameserverAnswers } from '../../agent/host/reachability.ts'
import { blaming } from '../../agent/model/failure.ts'
import type { Host } from '../../agent/run/host.ts'
import type { PingPacket } from '../../agent/host/ping.ts'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { createLog } from '../../agent/report/log.ts'
import { nameserversOf } from '../../agent/host/nameservers.ts'
import { lostPaths, nodePaths } from '../../agent/probe/node-paths.ts'
import { RECORD_PATH } from '../../agent/model/paths.ts'
import { plan } from '../../agent/plan/plan.ts'
import type { Selection } from '../../agent/model/selection.ts'
import { run } from '../../agent/run/run.ts'
import { settle } from '../../contract/interface.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { hostWith, livingHost } from './simulated-host.ts'

describe('a neighbour', () => {
	const unicast: NextProbe = { verb: 'change', how: 'nud probe', scope: 'one' }
	test.each<[title: string, state: string | undefined, asked: ProbeScope, next: NextProbe]>([
		['without an entry is resolved', undefined, 'nobody', { verb: 'add', how: 'use', scope: 'all' }],
		['that was reachable before the probe is probed anyway', 'REACHABLE', 'nobody', unicast],
		['with a stale entry is probed', 'STALE', 'nobody', unicast],
		['that the kernel is about to probe is probed immediately', 'DELAY', 'nobody', unicast],
		['that is being probed is waited for', 'PROBE', 'one', { wait: 'one' }],
		['that is being resolved is waited for, even if another program started this', 'INCOMPLETE', 'nobody', { wait: 'all' }],
		['that is reachable after the probe answers', 'REACHABLE', 'one', { is: 'answers' }],
		['that does not answer a probe of its known MAC is resolved again', 'FAILED', 'one', { verb: 'change', how: 'use', scope: 'all' }],
		['with a failed entry before the probe is resolved again', 'FAILED', 'nobody', { verb: 'change', how: 'use', scope: 'all' }],
		['that cannot be resolved is silent', 'FAILED', 'all', { is: 'silent' }],
		['with a permanent entry is not probed', 'PERMANENT', 'nobody', { is: 'answers' }],
		['on a link without neighbour resolution is not probed', 'NOARP', 'nobody', { is: 'answers' }],
	])('%s', (_, state, asked, next) => {
		expect(nextProbe(state, asked)).toEqual(next)
	})
})

describe('duplicate address detection', () => {
	const address = (cidr: string) => ({ family: cidr.includes(':') ? (6 as const) : (4 as const), cidr, global: true, dynamic: false })
	const link = (...cidrs: string[]) => ({ ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:02:03', addresses: cidrs.map(address) })
	test.each<[title: string, has: string[], wanted: string[], ips: string[]]>([
		['probes every new address', ['10.0.0.4/24'], ['10.0.0.4/24', '10.0.0.5/24', '10.0.0.6/24'], ['10.0.0.5', '10.0.0.6']],
		['does not probe an address that the link already has', ['10.0.0.5/24'], ['10.0.0.5/16'], []],
		['leaves IPv6 addresses to the kernel', [], ['fd00::5/64'], []],
	])('%s', (_, has, wanted, ips) => {
		const [own] = hostWith([link(...has)]).links
		if (!own) throw new Error('no link')
		expect(addressesToProbe(own, 'multinic0', wanted)).toEqual(
			ips.length > 0 ? [{ kind: 'checkDuplicates', link: 3, name: 'multinic0', ips, mac: own.mac }] : [],
		)
	})

	const wanted = ['10.0.0.4/24', '10.0.0.5/24', '10.1.0.5/24', 'fd00::5/64']
	const none: Selection = { accepted: [], refused: [], released: [], kept: [], moves: [], shared: new Map(), bases: [] }
	const primary = { ifindex: 2, name: 'ens3', mac: 'fa:16:3e:00:00:02', up: true, addresses: [address('10.0.0.9/24')] }

	test.each<[title: string, other: Partial<Link>, ips: string[]]>([
		['also probes on another link whose network contains the address', {}, ['10.0.0.5']],
		['does not probe on another link with a point-to-point address', { addresses: [{ ...address('10.0.0.9/24'), peer: '10.0.0.8' }] }, []],
		['does not probe on another link with a /32 address', { addresses: [address('10.0.0.9/32')] }, []],
		['does not probe on another link that is down', { up: false }, []],
		['does not probe on another link without a carrier', { carrier: false }, []],
		['does not probe on another link that is not an Ethernet device', { ethernet: false }, []],
		['does not probe on a dummy link', { kind: 'dummy' }, []],
		['does not probe on a link on top of the NIC', { kind: 'macvlan', lower: 3 }, []],
	])('%s', (_, other, ips) => {
		const host = hostWith([{ ...primary, ...other }, link('10.0.0.4/24')])
		const [, own] = host.links
		if (!own) throw new Error('no link')
		const moves = [{ link: own.ifindex, from: own.name, to: 'multinic0' }]
		expect(addressesToProbeElsewhere(own, wanted, { ...none, moves }, host)).toEqual(
			ips.length > 0 ? [{ kind: 'checkDuplicates', link: 2, name: 'ens3', ips, mac: own.mac }] : [],
		)
	})

	test.each<[title: string, route: Partial<Route>, ips: string[]]>([
		['also probes on another link with an on-link route that contains the address', {}, ['10.1.0.5']],
		['does not probe on another link with a route via a next hop', { via: '10.0.0.1' }, []],
		['does not probe on another link with a route in another table', { table: 9 }, []],
		['does not probe on another link with a default route', { to: '0.0.0.0/0' }, []],
	])('%s', (_, route, ips) => {
		const plain = { family: 4 as const, to: '10.1.0.0/16', link: 2, table: 254, metric: 0, protocol: 3, type: 1, scope: 253, onlink: false }
		const host = hostWith([{ ...primary, addresses: [address('10.0.0.9/32')] }, link('10.0.0.4/24')], { routes: [{ ...plain, ...route }] })
		const [, own] = host.links
		if (!own) throw new Error('no link')
		expect(addressesToProbeElsewhere(own, wanted, none, host)).toEqual(
			ips.length > 0 ? [{ kind: 'checkDuplicates', link: 2, name: 'ens3', ips, mac: own.mac }] : [],
		)
	})

	test.each<[title: string, isOurs: boolean, other: Partial<Link>, ips: string[]]>([
		['also probes on another NIC that MultiNIC already manages, by its new name', true, {}, ['10.0.0.5']],
		['does not probe on another managed NIC that is down', true, { up: false }, []],
		['does not probe on another NIC that MultiNIC does not manage yet', false, {}, []],
	])('%s', (_, isOurs, other, ips) => {
		const host = hostWith([{ ...primary, ...other }, link('10.0.0.4/24')])
		const [its, own] = host.links
		const [nic] = settle([{ id: 7, macAddress: primary.mac, address: '10.0.0.9', cidr: '10.0.0.0/24' }])
		if (!its || !own || !nic) throw new Error('no link')
		const original = { name: 'ens3', altnames: [], mtu: 1500, up: false, sysctls: {} }
		const ours = { mac: primary.mac, id: 0, name: 'ens3', addresses: [], routes: [], files: {}, former: [], original }
		const accepted = [{ nic, link: its, ours: isOurs ? ours : undefined }]
		expect(addressesToProbeElsewhere(own, wanted, { ...none, accepted }, host)).toEqual(
			ips.length > 0 ? [{ kind: 'checkDuplicates', link: 2, name: 'multinic7', ips, mac: own.mac }] : [],
		)
	})

	test('probes on another link without a change of that link: NetworkManager still manages it, and the undo does not contain it', () => {
		const addresses = ['10.0.0.9/24', 'fd00::9/64'].map(address)
		const host = hostWith([{ ...primary, addresses, managedBy: 'NetworkManager' }, link()], { networkmanager: true })
		const interfaces = settle([{ id: 0, macAddress: 'fa:16:3e:00:02:03', address: '10.0.0.5', cidr: '10.0.0.0/24' }])
		const wanted = { interfaces, nodeAddresses: ['10.0.0.9'], kinds: new Set(['hardware']), failed: new Map() }
		const { steps, undo } = plan(wanted, host, {})
		const ofPrimary = [...steps, ...undo].map(({ change, action }) => change ?? action).filter(what => 'link' in what && what.link === 2)
		expect(ofPrimary.map(({ kind }) => kind)).toEqual(['checkDuplicates'])
	})

	test('does not probe an address that NetworkManager may leave on the link, because the host itself would reply', () => {
		const addresses = ['10.0.0.5/24', '10.0.0.6/24'].map(address)
		const mac = 'fa:16:3e:00:02:03'
		const host = hostWith([{ ifindex: 3, name: 'multinic0', mac, up: true, addresses, managedBy: 'NetworkManager' }], {
			networkmanager: true,
		})
		const interfaces = settle([{ id: 0, macAddress: mac, address: '10.0.0.5', cidr: '10.0.0.0/24', addresses: ['10.0.0.7/24'] }])
		const ours = { mac, id: 0, name: 'multinic0', addresses: ['10.0.0.5/24', '10.0.0.6/24'], routes: [], files: {} }
		const record = { version: 1, links: [{ ...ours, original: { name: 'ens7', altnames: [], mtu: 1500, up: false, sysctls: {} } }] }
		const files = { [RECORD_PATH]: { content: JSON.stringify(record), mode: 0o600, gid: 0 } }
		const wanted = { interfaces, nodeAddresses: [], kinds: new Set(['hardware']), failed: new Map() }
		const { steps } = plan(wanted, { ...host, files }, {})
		const actions = steps.flatMap(({ action }) => action ?? [])
		expect(actions.filter(({ kind }) => kind === 'checkDuplicates')).toEqual([
			{ kind: 'checkDuplicates', link: 3, name: 'multinic0', ips: ['10.0.0.7'], mac },
		])
		expect(changesIn(steps).filter(({ kind }) => kind === 'addAddress')).toHaveLength(2)
	})

	test('probes on a limited number of other links, preferably those with the longest prefix', () => {
		const others = Array.from({ length: 30 }, (_, at) => ({
			...{ ifindex: 10 + at, name: `vlan${at}`, mac: primary.mac, up: true },
			addresses: [address(`10.0.0.9/${at < 27 ? 8 : 24}`)],
		}))
		const host = hostWith([link('10.0.0.4/24'), ...others])
		const [own] = host.links
		if (!own) throw new Error('no link')
		const names = addressesToProbeElsewhere(own, ['10.0.0.5/24', '10.0.0.5/16'], none, host).map(({ name, ips }) => ({ name, ips }))
		expect(names).toHaveLength(MOST_WIRES)
		expect(names.slice(-3)).toMatchObject(['vlan27', 'vlan28', 'vlan29'].map(name => ({ name, ips: ['10.0.0.5'] })))
	})

	const questions = (ids: number[], count: number): CheckStep[] =>
		ids.map(id => ({
			id,
			action: { kind: 'checkDuplicates', link: 3, name: 'ens3', mac: '', ips: Array.from({ length: count }, (_, at) => `10.0.${at}.5`) },
		}))

	test('probes each address once on each link, also for several interfaces, with a limited number of concurrent probes', async () => {
		let [all, now, most] = [0, 0, 0]
		const asking = async (): Promise<ArpResult> => {
			all++
			most = Math.max(most, ++now)
			await new Promise(setImmediate)
			now--
			return {}
		}
		expect(await assertNoDuplicates(questions([0, 1], 1_000), asking)).toEqual([])
		expect([all, most]).toEqual([1_000, MOST_AT_ONCE])
	})

	test('reports each interface whose address is in use', async () => {
		const asking = async (ip: string): Promise<ArpResult> => (ip === '10.0.1.5' ? { mac: '02:00:00:00:00:09' } : {})
		const message = '02:00:00:00:00:09 answers for 10.0.1.5 on ens3'
		await expect(assertNoDuplicates(questions([0, 1], 2), asking)).rejects.toMatchObject({
			facts: { blames: [0, 1].map(id => ({ id, message })) },
		})
	})

	const header = 'ARPING 10.0.0.5 from 0.0.0.0 multinic0\n'
	test.each<[title: string, said: Partial<ProgramOutput>, holder: ArpResult]>([
		[
			'detects another host by its reply',
			{ code: 1, stdout: `${header}Unicast reply from 10.0.0.5 [FA:16:3E:00:00:09]  0.519ms\n` },
			{ mac: 'fa:16:3e:00:00:09' },
		],
		[
			'detects another host by its own probe for the address',
			{ code: 1, stdout: `${header}Broadcast request from 10.0.0.5 [FA:16:3E:00:00:09] for 10.0.0.5 UNSOLICITED?\n` },
			{ mac: 'fa:16:3e:00:00:09' },
		],
		['detects no other host if none replies', { code: 0, stdout: `${header}Sent 2 probes (2 broadcast(s))\nReceived 0 response(s)\n` }, {}],
		[
			'has no result for a link that is down',
			{ code: 2, stdout: 'Interface "multinic0" is down\n' },
			{ notChecked: 'Interface "multinic0" is down' },
		],
		[
			'has no result for a missing link',
			{ code: 2, stderr: 'arping: Device multinic0 not available.\n' },
			{ notChecked: 'arping: Device multinic0 not available.' },
		],
		[
			'has no result from another program named arping',
			{ code: 0, stdout: 'ARPING 10.0.0.5\n42 bytes from fa:16:3e:00:00:09 (10.0.0.5): index=0 time=6.8 usec\n' },
			{ notChecked: 'ARPING 10.0.0.5' },
		],
		['has no result if arping prints nothing', { code: 1 }, { notChecked: 'arping ended with 1' }],
	])('%s', (_, said, holder) => {
		expect(parseArping({ code: 0, stdout: '', stderr: '', ...said })).toEqual(holder)
	})
})

describe('the nameservers of a host', () => {
	const uplink = 'nameserver 10.0.0.2\nnameserver 10.0.0.3\n'
	test.each<[title: string, resolvConf: string, uplink: string, servers: string[]]>([
		['are those in resolv.conf', '# from DHCP\nsearch a.b\nnameserver 10.0.0.2\n nameserver\tfd00::2\n', '', ['10.0.0.2', 'fd00::2']],
		[
			'are those of systemd-resolved if resolv.conf contains its stub',
			'nameserver 127.0.0.53\noptions edns0\n',
			uplink,
			['10.0.0.2', '10.0.0.3'],
		],
		['are the stub of systemd-resolved if its own nameservers are unknown', 'nameserver 127.0.0.53\n', '', ['127.0.0.53']],
		['are not those of systemd-resolved if resolv.conf contains others', 'nameserver 10.0.0.9\n', uplink, ['10.0.0.9']],
		[
			'are the first three in resolv.conf',
			[1, 2, 3, 4].map(n => `nameserver 10.0.0.${n}\n`).join(''),
			'',
			['10.0.0.1', '10.0.0.2', '10.0.0.3'],
		],
		['are empty without resolv.conf', '', '', []],
		['are only valid addresses', 'nameserver dns.example\n;nameserver 10.0.0.1\nnameserver 10.0.0.999\n', '', []],
	])('%s', (_, resolvConf, behind, servers) => {
		expect(nameserversOf(resolvConf, behind)).toEqual(servers)
	})

	test('are read from the root of the host, not of this container', () => {
		const root = mkdtempSync(join(tmpdir(), 'mn-'))
		mkdirSync(join(root, 'etc'))
		mkdirSync(join(root, 'run'))
		writeFileSync(join(root, 'run/real.conf'), 'nameserver 10.0.0.2\n')
		symlinkSync('/run/real.conf', join(root, 'etc/absolute.conf'))
		symlinkSync('../run/real.conf', join(root, 'etc/relative.conf'))
		symlinkSync('/etc/loop.conf', join(root, 'etc/loop.conf'))
		expect(readText(root, '/etc/absolute.conf')).toBe('nameserver 10.0.0.2\n')
		expect(readText(root, '/etc/relative.conf')).toBe('nameserver 10.0.0.2\n')
		expect(readText(root, '/etc/none.conf')).toBe('')
		expect(readText(root, '/etc/loop.conf')).toBe('')
		rmSync(root, { recursive: true })
	})
})

test('a program that is not installed is distinguished from one that fails', async () => {
	expect(await ifInstalled('a-program-that-does-not-exist', [])).toBeUndefined()
	expect(await ifInstalled('false', [])).toMatchObject({ code: 1 })
})

describe('a nameserver', () => {
	test.each<[title: string, rcode: number | undefined, answers: boolean]>([
		['that returns NOERROR answers', 0, true],
		['that returns SERVFAIL answers', 2, true],
		['that returns NXDOMAIN answers', 3, true],
		['that returns REFUSED answers', 5, true],
		['that returns nothing does not answer', undefined, false],
	])('%s', async (_, rcode, answers) => {
		const { address, close } = await nameserver(rcode)
		expect(await nameserverAnswers([address])).toBe(answers)
		close()
	})

	test('that answers is sufficient if another does not answer', async () => {
		const [silent, answering] = [await nameserver(undefined), await nameserver(5)]
		expect(await nameserverAnswers([silent.address, answering.address])).toBe(true)
		silent.close()
		answering.close()
	})
})

describe('the paths of a node', () => {
	const route = { table: 254, metric: 0, protocol: 4, type: 1, scope: 0, onlink: false, link: 2 }
	const routes = [
		{ ...route, family: 4 as const, to: '0.0.0.0/0', via: '192.0.2.1' },
		{ ...route, family: 6 as const, to: '::/0', via: 'fe80::1' },
	]
	const { host } = livingHost(hostWith([]))
	const served = { ...host, nameservers: () => ['192.0.2.53'] }
	test.each<[title: string, given: Parameters<typeof nodePaths>, names: string[]]>([
		[
			'are the API server, the gateways of both families and the nameservers',
			[served, hostWith([], { routes }), { host: '10.96.0.1', port: 443 }],
			['api', 'gateway', 'gateway6', 'dns'],
		],
		['are empty if no target is known', [host, hostWith([]), undefined], []],
		[
			'do not include a default route without a gateway',
			[host, hostWith([], { routes: [{ ...route, family: 4, to: '0.0.0.0/0' }] }), undefined],
			[],
		],
	])('%s', (_, given, names) => {
		expect(nodePaths(...given).map(({ name }) => name)).toEqual(names)
	})

	const ok = (name: string) => ({ name, ok: true, milliseconds: 1 })
	const silent = (name: string) => ({ ...ok(name), ok: false })
	test('are lost only if they worked before', () => {
		expect(lostPaths([ok('api'), ok('dns'), silent('gateway')], [ok('api'), silent('dns'), silent('gateway')])).toEqual(['dns'])
	})
})

describe('the gateways of the interfaces', () => {
	const ids = [0, 1, 2, 3, 4]
	const links = hostWith(ids.map(id => ({ ifindex: id + 3, name: `ens${id}`, mac: `fa:16:3e:00:00:0${id}`, up: true })))
	const wish = ids.map(id => ({ id, macAddress: `fa:16:3e:00:00:0${id}`, address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, mtu: 1450 }))
	const withGateways = wish.map((nic, id) => (id < 4 ? { ...nic, gateway: `10.0.${id}.1` } : nic))

	/**
	 * The gateway of interface 0 replies to everything, that of 1 does not exist, that of 2 does not reply to large packets, and that of 3
	 * does not reply to echo requests.
	 */
	function wire() {
		const { host } = livingHost(links)
		const asked: string[] = []
		const echo = ({ ip, bytes }: PingPacket) => ip === '10.0.0.1' || (ip === '10.0.2.1' && bytes < 1400)
		const asking: Host = {
			...host,
			echoes: async packets => {
				asked.push(...packets.map(({ ip, bytes }) => `${bytes} bytes to ${ip}`))
				return packets.map(packet => ({ answered: echo(packet) }))
			},
			neighboursAnswer: async questions => {
				asked.push(...questions.map(({ ip, link }) => `${ip} on ${link}`))
				return questions.map(({ ip }) => ip !== '10.0.1.1')
			},
		}
		return { host: asking, asked }
	}

	test('cause warnings for their own interfaces, and no rollback', async () => {
		const { host, asked } = wire()
		const { report, lines } = await runOn(host, runConfig(withGateways))
		expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 5/5' })
		expect(report.interfaces.map(({ warnings }) => warnings)).toEqual([
			[],
			[{ reason: 'GatewaySilent', message: 'the gateway 10.0.1.1 does not answer' }],
			[{ reason: 'PathMtu', message: 'packets of 1450 bytes (the MTU) do not reach the gateway 10.0.2.1, small packets do' }],
			[],
			[],
		])
		expect(lines).toContain(
			'probes after    multinic0 gateway answers, multinic1 gateway silent, multinic2 gateway answers, but not at MTU 1450, multinic3 gateway answers, no duplicate address\n',
		)
		expect(asked.filter(question => question.includes('10.0.0.'))).toEqual(['1450 bytes to 10.0.0.1'])
	})

	test.each(['Apply', 'Verify'] as const)('are also probed without changes, in mode %s', async mode => {
		const { host } = wire()
		await runOn(host, runConfig(withGateways))
		const { report, lines } = await runOn(host, runConfig(withGateways, { mode }))
		expect(report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
		expect(report.interfaces.map(({ warnings }) => warnings.map(({ reason }) => reason))).toEqual([
			[],
			['GatewaySilent'],
			['PathMtu'],
			[],
			[],
		])
		expect(lines.some(line => line.startsWith('probes          multinic0 gateway answers, '))).toBe(true)
	})

	test('are not probed through a link without a carrier, and a warning reports this', async () => {
		const { host, asked } = wire()
		const observe: Host['observe'] = async macs => {
			const state = await host.observe(macs)
			return { ...state, links: state.links.map(link => (link.ifindex === 3 ? { ...link, carrier: false } : link)) }
		}
		const { report, lines } = await runOn({ ...host, observe }, runConfig(withGateways.slice(0, 1)))
		const message = 'the gateway 10.0.0.1 cannot be probed: multinic0 has no carrier'
		expect(report).toMatchObject({ outcome: 'Succeeded', interfaces: [{ warnings: [{ reason: 'GatewaySilent', message }] }] })
		expect(report.notes).toEqual(['duplicate addresses are not checked without a carrier: multinic0'])
		expect(lines).toContain('probes after    multinic0 gateway silent, duplicate addresses are not checked without a carrier: multinic0\n')
		expect(asked).toEqual([])
	})

	test('are not probed in mode Plan', async () => {
		const { host, asked } = wire()
		await runOn(host, runConfig(withGateways, { mode: 'Plan' }))
		expect(asked).toEqual([])
	})

	test('are only checked by neighbour resolution if ping is missing, and a note reports this', async () => {
		const { host } = wire()
		const echoes: Host['echoes'] = async packets => packets.map(() => ({ notSent: 'ping is not installed' }))
		const { report, lines } = await runOn({ ...host, echoes }, runConfig(withGateways))
		expect(report.notes).toEqual(['the path MTU is not checked: ping is not installed'])
		expect(report.interfaces.flatMap(({ warnings }) => warnings.map(({ reason }) => reason))).toEqual(['GatewaySilent'])
		expect(lines.find(line => line.startsWith('probes after'))).toMatch(
			/no duplicate address, the path MTU is not checked: ping is not installed$/m,
		)
	})
})

test('addresses that could not be checked are assigned, and a note reports this', async () => {
	const { host } = livingHost(hostWith([{ ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:00:00' }]))
	const apply: Host['apply'] = async (steps, asking) => {
		await host.apply(steps)
		await asking?.(async () => ['duplicate addresses are not checked: arping is not installed'])
	}
	const wish = runConfig([{ id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24' }])
	const { report, lines } = await runOn({ ...host, apply }, wish)
	expect(report).toMatchObject({ outcome: 'Succeeded', notes: ['duplicate addresses are not checked: arping is not installed'] })
	expect(lines).toContain('probes after    duplicate addresses are not checked: arping is not installed\n')
})

describe('addresses of other hosts', () => {
	const ids = [0, 1, 2]
	const wish = ids.map(id => ({
		id,
		macAddress: `fa:16:3e:00:00:0${id}`,
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		addresses: [`fd00::1${id}/64`],
	}))

	test.each([
		{ family: 'IPv4', used: 'ask' },
		{ family: 'IPv6', used: 'dad' },
	])('are all reported in the same attempt, and the other interface is configured in one more attempt ($family)', async ({ used }) => {
		const { host } = livingHost(hostWith(ids.map(id => ({ ifindex: id + 3, name: `ens${id}`, mac: `fa:16:3e:00:00:0${id}` }))))
		let attempts = 0
		const apply: Host['apply'] = async steps => {
			attempts++
			await host.apply(steps)
			const asked = steps.flatMap(({ id, action }) =>
				action?.kind === 'checkDuplicates' && id !== undefined && id !== 1 ? [{ id, message: 'x' }] : [],
			)
			if (used === 'ask' && asked.length > 0) throw blaming('ADDRESS_IN_USE', asked)
		}
		const tentativeAddresses: Host['tentativeAddresses'] = async () =>
			used === 'dad' ? [0, 2].map(id => ({ link: id + 3, ip: `fd00::1${id}`, refused: true })) : []
		const { report } = await runOn({ ...host, apply, tentativeAddresses }, runConfig(wish))
		expect(report.interfaces.map(({ reason }) => reason)).toEqual(['AddressInUse', 'Configured', 'AddressInUse'])
		expect(attempts).toBe(2)
	})
})

test('IPv6 addresses that the kernel has not checked in time are assigned, and a note reports this', async () => {
	const { host } = livingHost(hostWith([{ ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:00:00' }]))
	let looks = 0
	const tentativeAddresses: Host['tentativeAddresses'] = async () => {
		looks++
		return [{ link: 3, ip: 'fd00::23', refused: false }]
	}
	const { report } = await runOn(
		{ ...host, tentativeAddresses },
		runConfig([{ id: 0, macAddress: 'fa:16:3e:00:00:00', addresses: ['fd00::23/64'] }]),
	)
	expect(report).toMatchObject({ outcome: 'Succeeded', notes: ['whether another host has fd00::23 is not known yet'] })
	expect(looks).toBeLessThan(15)
})

async function runOn(host: Host, wish: RunConfig): Promise<{ report: AgentReport; lines: string[] }> {
	const lines: string[] = []
	const log = createLog('human', line => lines.push(line))
	return { report: await run(wish, host, { log, kinds: new Set(['hardware']), apiServer: undefined }), lines }
}

/** A nameserver that replies with only this response code, or does not reply. */
async function nameserver(rcode: number | undefined): Promise<{ address: string; close(): void }> {
	const socket = createSocket('udp4')
	socket.on('message', (question, { address, port }) => {
		if (rcode === undefined) return
		question.writeUInt16BE(0x8000 | rcode, 2)
		socket.send(question, port, address)
	})
	await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
	return { address: `127.0.0.1:${(socket.address() as AddressInfo).port}`, close: () => socket.close() }
}

import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { questionOf } from '../../agent/ask.ts'
import { readHostFile } from '../../agent/host/files.ts'
import { type Asked, type Next, nextOf } from '../../agent/host/neighbours.ts'
import { nameserverAnswers } from '../../agent/host/reach.ts'
import { createLog } from '../../agent/log.ts'
import { nameserversOf } from '../../agent/nameservers.ts'
import { lostPaths, targetsOf } from '../../agent/probe.ts'
import { run } from '../../agent/run.ts'
import { undoOf } from '../../agent/undo.ts'
import { config } from './node-host.ts'
import { hostWith, livingHost } from './simulated-host.ts'

describe('a neighbour', () => {
	const unicast: Next = { verb: 'change', how: 'nud probe', asks: 'one' }
	test.each<[title: string, state: string | undefined, asked: Asked, next: Next]>([
		['that is not known is asked for', undefined, 'nobody', { verb: 'add', how: 'use', asks: 'all' }],
		['that was reachable before the question is asked all the same', 'REACHABLE', 'nobody', unicast],
		['that was known once is asked', 'STALE', 'nobody', unicast],
		['that is about to be asked by the kernel is asked now', 'DELAY', 'nobody', unicast],
		['that is being asked is waited for', 'PROBE', 'one', { wait: 'one' }],
		['that is being looked for is waited for, whoever began it', 'INCOMPLETE', 'nobody', { wait: 'all' }],
		['that is reachable after the question answers', 'REACHABLE', 'one', { is: 'answers' }],
		['that is not where it was may be elsewhere by now', 'FAILED', 'one', { verb: 'change', how: 'use', asks: 'all' }],
		['that failed before the question is asked anew', 'FAILED', 'nobody', { verb: 'change', how: 'use', asks: 'all' }],
		['for which nobody answers is silent', 'FAILED', 'all', { is: 'silent' }],
		['whose address somebody has set is not touched', 'PERMANENT', 'nobody', { is: 'answers' }],
		['on a link without such questions is not touched', 'NOARP', 'nobody', { is: 'answers' }],
	])('%s', (_, state, asked, next) => {
		expect(nextOf(state, asked)).toEqual(next)
	})
})

describe('whether another host has an address', () => {
	const from = { family: 4 as const, cidr: '169.254.194.4/32', global: false, dynamic: false }
	const address = (cidr: string) => ({ family: cidr.includes(':') ? (6 as const) : (4 as const), cidr, global: true, dynamic: false })
	const link = (...cidrs: string[]) => ({ ifindex: 3, name: 'ens7', mac: 'fa:16:3e:00:02:03', addresses: cidrs.map(address) })
	const asks = (ips: string[], more = {}) => [{ kind: 'ask', link: 3, mac: 'fa:16:3e:00:02:03', ips, ...more }]
	test.each<[title: string, given: { has: string[]; leaves?: string[]; wanted: string[] }, asked: unknown[]]>([
		[
			'is asked from a link-local address where there is no other',
			{ has: [], wanted: ['10.0.0.5/24', '10.0.0.6/24'] },
			asks(['10.0.0.5', '10.0.0.6'], { from }),
		],
		[
			'is asked from the address that a link has and keeps',
			{ has: ['10.0.0.4/24'], wanted: ['10.0.0.4/24', '10.0.0.5/24'] },
			asks(['10.0.0.5']),
		],
		[
			'is not asked from one that leaves before',
			{ has: ['10.0.0.4/24'], leaves: ['10.0.0.4/24'], wanted: ['10.0.0.5/24'] },
			asks(['10.0.0.5'], { from }),
		],
		['is not asked of one that the link has already', { has: ['10.0.0.5/24'], wanted: ['10.0.0.5/16'] }, []],
		['is left to the kernel with IPv6', { has: [], wanted: ['fd00::5/64'] }, []],
	])('%s', (_, { has, leaves = [], wanted }, asked) => {
		const [own] = hostWith([link(...has)]).links
		if (!own) throw new Error('no link')
		const stale = leaves.map(cidr => ({ kind: 'removeAddress' as const, link: 3, address: address(cidr) }))
		expect(questionOf(own, { wanted, stale })).toEqual(asked)
	})

	test('leaves nothing behind, wherever the asking ends', () => {
		const host = hostWith([link()])
		const steps = [{ id: 0, change: { kind: 'ask' as const, link: 3, mac: 'fa:16:3e:00:02:03', ips: ['10.0.0.5'], from } }]
		expect(undoOf(steps, host)).toEqual([{ kind: 'removeAddress', link: 3, address: from }])
	})
})

describe('the nameservers of a host', () => {
	const uplink = 'nameserver 10.0.0.2\nnameserver 10.0.0.3\n'
	test.each<[title: string, resolvConf: string, uplink: string, servers: string[]]>([
		['are those of its resolv.conf', '# of DHCP\nsearch a.b\nnameserver 10.0.0.2\n nameserver\tfd00::2\n', '', ['10.0.0.2', 'fd00::2']],
		['are those that systemd-resolved asks', 'nameserver 127.0.0.53\noptions edns0\n', uplink, ['10.0.0.2', '10.0.0.3']],
		['are the stub, where it is not known whom it asks', 'nameserver 127.0.0.53\n', '', ['127.0.0.53']],
		['are not those of resolved where others are asked', 'nameserver 10.0.0.9\n', uplink, ['10.0.0.9']],
		['are the first three', [1, 2, 3, 4].map(n => `nameserver 10.0.0.${n}\n`).join(''), '', ['10.0.0.1', '10.0.0.2', '10.0.0.3']],
		['may be none', '', '', []],
		['are addresses and nothing else', 'nameserver dns.example\n;nameserver 10.0.0.1\nnameserver 10.0.0.999\n', '', []],
	])('%s', (_, resolvConf, behind, servers) => {
		expect(nameserversOf(resolvConf, behind)).toEqual(servers)
	})

	test('are read from where the host means it, not this container', () => {
		const root = mkdtempSync(join(tmpdir(), 'mn-'))
		mkdirSync(join(root, 'etc'))
		mkdirSync(join(root, 'run'))
		writeFileSync(join(root, 'run/real.conf'), 'nameserver 10.0.0.2\n')
		symlinkSync('/run/real.conf', join(root, 'etc/absolute.conf'))
		symlinkSync('../run/real.conf', join(root, 'etc/relative.conf'))
		symlinkSync('/etc/loop.conf', join(root, 'etc/loop.conf'))
		expect(readHostFile(root, '/etc/absolute.conf')).toBe('nameserver 10.0.0.2\n')
		expect(readHostFile(root, '/etc/relative.conf')).toBe('nameserver 10.0.0.2\n')
		expect(readHostFile(root, '/etc/none.conf')).toBe('')
		expect(readHostFile(root, '/etc/loop.conf')).toBe('')
		rmSync(root, { recursive: true })
	})
})

describe('a nameserver', () => {
	test.each<[title: string, rcode: number | undefined, answers: boolean]>([
		['that knows no address answers', 0, true],
		['that cannot find out answers', 2, true],
		['that knows no such name answers', 3, true],
		['that refuses answers', 5, true],
		['that says nothing does not', undefined, false],
	])('%s', async (_, rcode, answers) => {
		const { address, close } = await nameserver(rcode)
		expect(await nameserverAnswers([address])).toBe(answers)
		close()
	})

	test('is enough, though others are silent', async () => {
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
	test.each<[title: string, given: Parameters<typeof targetsOf>, names: string[]]>([
		['are all that there is', [served, hostWith([], { routes }), { host: '10.96.0.1', port: 443 }], ['api', 'gateway', 'gateway6', 'dns']],
		['are none where nothing is known', [host, hostWith([]), undefined], []],
		[
			'leave out a default route without a gateway',
			[host, hostWith([], { routes: [{ ...route, family: 4, to: '0.0.0.0/0' }] }), undefined],
			[],
		],
	])('%s', (_, given, names) => {
		expect(targetsOf(...given).map(({ name }) => name)).toEqual(names)
	})

	const ok = (name: string) => ({ name, ok: true, milliseconds: 1 })
	const silent = (name: string) => ({ ...ok(name), ok: false })
	test('are lost only if they worked before', () => {
		expect(lostPaths([ok('api'), ok('dns'), silent('gateway')], [ok('api'), silent('dns'), silent('gateway')])).toEqual(['dns'])
	})
})

test('interfaces whose gateways are silent are configured, each with a warning of its own', async () => {
	const macs = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02', 'fa:16:3e:00:00:03']
	const { host } = livingHost(hostWith(macs.map((mac, id) => ({ ifindex: id + 3, name: `ens${id}`, mac }))))
	const asked: string[] = []
	const deaf = {
		...host,
		neighboursAnswer: async (questions: readonly { ip: string; link: number }[]) => {
			asked.push(...questions.map(({ ip, link }) => `${ip} on ${link}`))
			return questions.map(({ link }) => link === 3)
		},
	}
	const lines: string[] = []
	const log = createLog('human', line => lines.push(line))
	const wish = macs.map((macAddress, id) => ({ id, macAddress, address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24` }))
	const withGateways = wish.map((nic, id) => (id < 2 ? { ...nic, gateway: `10.0.${id}.1` } : nic))
	const report = await run(config(withGateways), deaf, { log, kinds: new Set(['hardware']), apiServer: undefined })
	expect(report).toMatchObject({ outcome: 'Succeeded', message: 'Configured 3/3' })
	expect(asked).toEqual(['10.0.0.1 on 3', '10.0.1.1 on 4'])
	expect(report.interfaces.map(({ warnings }) => warnings.map(({ reason }) => reason))).toEqual([[], ['GatewaySilent'], []])
	expect(lines).toContain('probes after    multinic0 gateway answers, multinic1 gateway silent\n')
})

/** Answers with a code and nothing else, or not at all. */
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

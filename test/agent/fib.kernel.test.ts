import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { canonicalIp } from '../../contract/ip.ts'
import { lineOf } from '../../agent/host/route-lookup.ts'
import { fibOf, lookup, type Way } from '../../agent/plan/fib.ts'
import type { LookupAnswer } from '../../agent/plan/lookup-losses.ts'
import type { Lookup } from '../../agent/plan/node-packets.ts'
import { linksOf } from '../../agent/model/route.ts'
import { anyPacket, anyRouting, type PacketChoice, type Routing } from './any-routing.ts'
import { kernelWays, observedRouting } from './kernel-routing.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** Compares the model of rules and routes with the kernel on random hosts. `SEED` selects the hosts, and `HOSTS` sets their number. */
const isRoot = process.getuid?.() === 0
const HOSTS = Number(process.env.HOSTS ?? 25)
const SEED = Number(process.env.SEED ?? 20_261_129)
const PACKETS = 40

describe.skipIf(!isRoot)('the model of rules and routes (needs root for network namespaces)', () => {
	let host: NodeHost
	let links: Record<string, number>

	beforeAll(async () => {
		host = await nodeHost()
		await host.ip(
			[
				...['mgmt', 'up1', 'ens0'].map(name => `link add ${name} type veth peer name ${name}-peer\nlink set ${name}-peer up`),
				'link add br0 type bridge',
				'link set up1 group 7',
				...['mgmt', 'up1', 'ens0', 'br0'].map(name => `link set ${name} addrgenmode none\nlink set ${name} up`),
			].join('\n'),
		)
		for (const setting of ['ipv4.ip_forward=1', 'ipv4.conf.all.rp_filter=0', 'ipv4.conf.default.rp_filter=0', 'ipv6.conf.all.forwarding=1'])
			await host.inside('sysctl', ['-qw', `net.${setting}`])
		links = Object.fromEntries((await host.ask('link show')).map(({ ifname, ifindex }) => [String(ifname), Number(ifindex)]))
	})
	afterAll(() => host?.close())

	test(`predicts the links of ${PACKETS} packets on each of ${HOSTS} random hosts, SEED=${SEED}`, async () => {
		const hosts = fc.sample(anyRouting(), { numRuns: HOSTS, seed: SEED })
		for (const [at, routing] of hosts.entries()) {
			await lay(routing)
			const choices = fc.sample(anyPacket(links), { numRuns: PACKETS, seed: SEED + at })
			const lookups = choices.map(({ six, packet }) => lookupOf(six, packet))
			const fib = fibOf(await observedRouting(host))
			const said = await kernelWays(host, lookups)
			const place = `host ${at} of SEED=${SEED}: ${JSON.stringify(routing)}`
			for (const [n, one] of lookups.entries()) expect(disagreement(lookup(fib, one), said[n]), `${place}\n${lineOf(one)}`).toBe('')
		}
	})

	async function lay({ lines, six }: Routing): Promise<void> {
		const again = [
			'mgmt 10.0.0.2/24',
			'up1 10.1.1.2/24',
			'br0 10.2.0.1/16',
			'mgmt fd00:0:1::2/64',
			'up1 fd00:1:1::2/64',
			'br0 fd00:2:1::1/64',
		]
		const addresses = again.map(line => {
			const [dev, cidr] = line.split(' ')
			return `addr replace ${cidr} dev ${dev}${cidr?.includes(':') ? ' nodad' : ''}`
		})
		const flush = [
			'rule flush',
			'rule add lookup 254 priority 32766',
			'rule add lookup 253 priority 32767',
			'route flush table 77',
			'route flush table 78',
			'route flush table 100',
			'route flush table 253',
			'route flush proto boot',
			...['mgmt', 'up1', 'br0', 'ens0'].map(dev => `addr flush dev ${dev}`),
		]
		await host.inside('sh', ['-c', `ip -force -batch - 2>/dev/null <<'.'\n${[...flush, ...addresses, ...lines].join('\n')}\n.`])
		await host.inside('sh', [
			'-c',
			`ip -6 -force -batch - 2>/dev/null <<'.'\n${[...flush.slice(0, 2), ...flush.slice(3, 8), ...six].join('\n')}\n.`,
		])
		await vi.waitFor(hasLocalRoutes, { timeout: 30_000, interval: 20 })
	}

	/** The kernel adds the local route of an IPv6 address asynchronously, also with nodad. */
	async function hasLocalRoutes(): Promise<void> {
		const { stdout } = await host.inside('ip', ['-6', 'route', 'show', 'table', 'local'])
		for (const ip of ['fd00:0:1::2', 'fd00:1:1::2', 'fd00:2:1::1']) expect(stdout).toContain(`local ${canonicalIp(ip)} `)
	}
})

const sources = { four: { mgmt: '10.0.0.2', up1: '10.1.1.2' }, six: { mgmt: 'fd00:0:1::2', up1: 'fd00:1:1::2' } }

function lookupOf(isSix: boolean, { to, from, iif, mark, tos, uid, flow }: PacketChoice): Lookup {
	const [a, b, c] = to
	const source = sources[isSix ? 'six' : 'four'][from as 'mgmt' | 'up1']
	const sent = { ...(source !== undefined && { from: source }), ...(uid !== undefined && { uid }) }
	const passing = { iif, from: isSix ? 'fd00:3:3::9' : '10.3.3.9' }
	return {
		family: isSix ? 6 : 4,
		to: isSix ? `fd00:${a}:${b}::${c}` : `10.${a}.${b}.${c}`,
		...(from === 'passing' ? passing : sent),
		...(mark !== undefined && { mark }),
		...(tos !== undefined && { tos }),
		...flow,
	}
}

/** @returns the difference between the model and the kernel, or an empty string */
function disagreement(way: Way, kernel: LookupAnswer | undefined): string {
	const model = 'route' in way ? linksOf(way.route) : undefined
	const words = `the kernel returns ${JSON.stringify(kernel)}, the model ${model ?? 'no route'}`
	if (!kernel || 'error' in kernel) return model ? words : ''
	return isLocal(way) || kernel.links.some(link => model?.includes(link)) ? '' : words
}

/** For a packet to the host itself, the kernel returns `lo` or the link that has the address. */
function isLocal(way: Way): boolean {
	return 'route' in way && way.route.type === 2
}

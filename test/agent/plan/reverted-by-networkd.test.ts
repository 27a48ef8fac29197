import { beforeEach, expect, test } from 'vitest'
import type { Address } from '../../../agent/model/address.ts'
import type { HostState, Link, Rule } from '../../../agent/model/host-state.ts'
import { createLog } from '../../../agent/report/log.ts'
import { run } from '../../../agent/run/run.ts'
import type { Step } from '../../../agent/model/change.ts'
import { runConfig } from '../../../lab/setup/machine-agent.ts'
import { pretendClock } from '../run/pretended-host.ts'
import { hostWith, livingHost } from '../simulated-host.ts'

/** A NIC whose name changes back to the one that it had when systemd-networkd started: networkd configures it from the file of that time. */

beforeEach(pretendClock)

const mac = 'fa:16:3e:00:00:00'
const wanted = { id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }
const fixed = (cidr: string): Address => ({ family: 4, cidr, global: true, dynamic: false })
const oldFile = '/run/systemd/network/10-netplan-multinic0.network'
const oldRule: Rule = { family: 4, priority: 10_000, from: '10.0.0.99/32', table: 100, plain: true, words: 'from 10.0.0.99 lookup 100' }

const fresh: HostState = {
	...hostWith([
		{ ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:02', up: true, addresses: [fixed('192.168.8.2/24')] },
		{ ifindex: 3, name: 'ens7', mac },
	]),
	networkd: true,
}

type Daemon = (link: Link) => Partial<Link>

/** What networkd configures: another address and MTU, without what other programs added. */
const configures: Daemon = () => ({ mtu: 1400, addresses: [fixed('10.0.0.99/24')], networkFile: oldFile, managedBy: 'systemd-networkd' })

/** @param times how often networkd configures the NIC once it has its name again */
async function runWith(daemon: Daemon, times: number, start = fresh) {
	const { host, now, put } = livingHost(start)
	let left = times
	const isReady = () => now().links.some(({ name, addresses }) => name === 'multinic0' && addresses.length > 0)
	const act = () => {
		if (left === 0 || !isReady()) return
		left--
		put({
			...now(),
			links: now().links.map(link => (link.name === 'multinic0' ? { ...link, ...daemon(link) } : link)),
			rules: [...now().rules, oldRule],
		})
	}
	const apply = async (steps: readonly Step[]) => {
		await host.apply(steps)
		act()
	}
	/** A link that no longer matches the file loses what networkd configured. */
	const undo: typeof host.undo = async changes => {
		await host.undo(changes)
		const links = now().links.map(({ networkFile: _, managedBy: __, ...link }) => ({
			...link,
			addresses: link.addresses.filter(({ cidr }) => cidr !== '10.0.0.99/24'),
		}))
		put({ ...now(), links, rules: now().rules.filter(({ from }) => from !== oldRule.from) })
		return []
	}
	let log = ''
	const report = await run(
		runConfig([wanted]),
		{ ...host, apply, undo },
		{
			log: createLog('human', line => {
				log += line
			}),
			kinds: new Set(['hardware']),
			apiServer: undefined,
		},
	)
	return { report, log, now: now() }
}

test.each([1, 2, 3])('what networkd adds %d times is removed, and what it removed is added again', async times => {
	const { report, log, now } = await runWith(configures, times)
	expect(report, log).toMatchObject({ outcome: 'Succeeded' })
	const [, nic] = now.links
	expect([nic?.mtu, nic?.addresses.map(({ cidr }) => cidr), now.rules.map(({ from }) => from)]).toEqual([
		1500,
		['10.0.0.23/24'],
		expect.not.arrayContaining(['10.0.0.99/32']),
	])
	expect(log).toMatch(/^again +without 10\.0\.0\.99\/24, mtu 1500: systemd-networkd configured the NIC from a file that it read earlier$/m)
})

test.each([4, 100])('a run is rolled back if networkd configures the NIC %d times', async times => {
	const { report, log, now } = await runWith(configures, times)
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'NotVerified' })
	expect(log.match(/^again .*: systemd-networkd configured the NIC/gm)).toHaveLength(6)
	expect(now.links[1]?.name).toBe('ens7')
})

test('a run keeps what another program adds to the NIC during the run, and fails', async () => {
	const { report, now } = await runWith(({ addresses }) => ({ addresses: [...addresses, fixed('10.0.0.99/24')] }), 1)
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'NotVerified' })
	expect(now.links[1]?.name).toBe('ens7')
})

test('an earlier run whose rollback is incomplete is reported, and so is what was not restored', async () => {
	const { host } = livingHost(hostWith([]))
	const complaint = 'ip route add 172.31.2.0/24 via 172.31.1.1 dev if3: Error: Nexthop has invalid gateway.'
	let undone = 0
	const undo = async () => {
		undone++
		return [complaint]
	}
	const left = { ...host, unfinishedUndo: () => ({ undo: [], tag: 'g1' }), undo }
	const report = await run(runConfig([]), left, { log: createLog('human', () => {}), kinds: new Set(), apiServer: undefined })
	expect(undone).toBe(3)
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'NotRestored' })
	expect(report.message).toContain(`an earlier run was not rolled back completely: ${complaint}`)
	expect(report.notes).toEqual([`an earlier run ended before its commit, and not everything could be rolled back: ${complaint}`])
})

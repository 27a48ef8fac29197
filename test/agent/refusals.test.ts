import { globSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { absenceChecks } from '../../agent/plan/absence-checks.ts'
import type { Row } from '../../agent/model/check.ts'
import { limitChecks } from '../../agent/plan/limit-checks.ts'
import { matchRows } from '../../agent/plan/match-link.ts'
import { preflightChecks } from '../../agent/plan/preflight.ts'
import { placeChecks, removalChecks, select } from '../../agent/plan/select.ts'
import { RECORD_PATH } from '../../agent/model/paths.ts'
import type { HostState, Link, Rule } from '../../agent/model/host-state.ts'
import type { Route } from '../../agent/model/route.ts'
import { Interfaces, settle } from '../../contract/interface.ts'
import { anyWish } from './any-wish.ts'
import { hostWith } from './simulated-host.ts'

/** Every check is evaluated and has a row in docs/agent/reference.md; every refusal names a command that shows its cause. */

const read: readonly Row[] = [...matchRows, ...absenceChecks, ...limitChecks, ...preflightChecks, ...placeChecks, ...removalChecks]

test('every check in agent/plan is evaluated and has a row', async () => {
	const files = globSync(join(import.meta.dirname, '../../agent/plan/*.ts'))
	const exported = (await Promise.all(files.map(file => import(file) as Promise<Record<string, unknown>>))).flatMap(Object.entries)
	const checks = exported.filter(([, value]) => typeof value === 'object' && value !== null && 'find' in value && 'when' in value)
	expect(checks.length).toBeGreaterThan(20)
	expect(checks.flatMap(([name, check]) => (read.includes(check as Row) ? [] : [name]))).toEqual([])
	for (const { when, see } of read)
		expect([when.length, see.length, /[|\n]/.test(when + see)]).toEqual([expect.any(Number), expect.any(Number), false])
	expect(read.filter(({ when, see }) => when === '' || see === '')).toEqual([])
})

const mac = (n: number) => `fa:16:3e:00:00:0${n}`
const index = fc.nat({ max: 7 })
const name = fc.constantFrom('ens1', 'ens2', 'multinic0', 'multinic1', 'a#b', "it's", 'mgmt', 'br0')
const cidr = fc.constantFrom('10.0.0.23/24', '10.0.1.23/24', '192.168.9.2/24', 'fe80::1/64', 'fd00:0::23/64', '172.16.0.1/12')
const address = fc.record({ cidr, dynamic: fc.boolean(), isTentative: fc.boolean() }).map(({ cidr: found, dynamic }) => ({
	family: found.includes(':') ? (6 as const) : (4 as const),
	cidr: found,
	global: !found.startsWith('fe80'),
	dynamic,
}))
const link = fc.record(
	{
		name,
		mac: index.map(mac),
		permanentMac: index.map(mac),
		kind: fc.constantFrom('vlan', 'macvlan', 'bridge', 'vrf', 'veth', 'dummy'),
		lower: index,
		master: name,
		altnames: fc.array(name, { maxLength: 2 }),
		addresses: fc.array(address, { maxLength: 3 }),
		mtu: fc.constantFrom(68, 1_200, 1_500, 9_000),
		maxMtu: fc.constantFrom(0, 1_500),
		up: fc.boolean(),
		managedBy: fc.constantFrom('NetworkManager' as const, 'systemd-networkd' as const),
	},
	{ requiredKeys: ['name', 'mac'] },
)
const hop = fc.record({ via: fc.constant('192.168.9.1'), link: index, weight: fc.constant(1), onlink: fc.boolean() })
const route = fc
	.record(
		{
			to: fc.constantFrom('0.0.0.0/0', '::/0', '0.0.0.0/1', '8000::/1', '10.0.0.0/24', 'fd00::/64'),
			table: fc.constantFrom(100, 101, 254, 7),
			metric: fc.constantFrom(0, 100, 1_024),
			protocol: fc.constantFrom(2, 4, 9, 16),
			type: fc.constantFrom(1, 6),
			link: index,
			nextHops: fc.array(hop, { maxLength: 3 }),
		},
		{ requiredKeys: ['to', 'table', 'metric', 'protocol', 'type'] },
	)
	.map(found => ({ ...found, family: found.to.includes(':') ? 6 : 4, scope: 0, onlink: false }) as Route)
const rule = fc
	.record(
		{
			family: fc.constantFrom(4 as const, 6 as const),
			priority: fc.constantFrom(600, 10_000, 10_001, 20_000),
			from: fc.constantFrom('0.0.0.0/0', '10.0.0.23/32', '10.0.0.0/24', '::/0'),
			table: fc.constantFrom(0, 77, 100, 101),
			plain: fc.boolean(),
			iif: name,
			oif: name,
		},
		{ requiredKeys: ['family', 'priority', 'from', 'table', 'plain'] },
	)
	.map(found => ({ ...found, words: `from ${found.from} lookup ${found.table}` }) as Rule)
const recorded = fc.uniqueArray(index, { maxLength: 3 }).map(macs => ({
	content: JSON.stringify({
		version: 1,
		links: macs.map((n, id) => ({
			mac: mac(n),
			id,
			name: `multinic${id}`,
			original: { name: `ens${n}`, altnames: [], mtu: 1_500, up: false, sysctls: {} },
			device: { path: `/sys/devices/pci0/virtio${n}`, driver: 'virtio_net' },
			addresses: [`10.0.${id}.23/24`],
			routes: [],
			files: {},
		})),
	}),
	mode: 0o600,
	gid: 0,
}))
const host = fc
	.record({
		links: fc.array(link, { maxLength: 7 }),
		routes: fc.array(route, { maxLength: 6 }),
		rules: fc.array(rule, { maxLength: 4 }),
		record: recorded,
		inOtherNamespace: fc.array(index.map(mac), { maxLength: 3 }),
		ipv6: fc.boolean(),
	})
	.map(({ links, record, ...more }): HostState => {
		const numbered = links.map((one, at) => ({ ...one, ifindex: at + 1 }))
		return hostWith(numbered as (Partial<Link> & { ifindex: number; name: string; mac: string })[], {
			...more,
			files: { [RECORD_PATH]: record },
		})
	})
const wish = anyWish([0, 1, 2, 3].map(mac), 3)
const nodeAddresses = fc.subarray(['192.168.9.2', '10.0.0.23', 'fd00::23', '10.0.1.23'])

/** A command that operators can run on a node or their machine, in parentheses at the end of the message. */
const SHOWN = /\((ip|cat|ls|lsns|grep|nmcli|kubectl|networkctl) [^()]+\)$/

test('the checks do not throw for any host, and every refusal ends with a command that shows its cause', () => {
	fc.assert(
		fc.property(host, wish, nodeAddresses, (state, nics, known) => {
			const interfaces = settle(Interfaces.parse(nics))
			const { refused, kept } = select({ interfaces, nodeAddresses: known, kinds: new Set(['hardware']), failed: new Map() }, state)
			for (const { refusal } of [...refused, ...kept]) {
				expect(refusal.message).toMatch(SHOWN)
				expect(refusal.message).not.toMatch(/[{}"]/)
			}
		}),
		{ numRuns: 2_000 },
	)
})

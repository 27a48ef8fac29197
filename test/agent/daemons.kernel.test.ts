import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROFILE_FIELDS, profileFaults, profileUuid } from '../../agent/persist/networkmanager-profile.ts'
import { FIT_FIELDS, isProfileFor, RIVAL_FIELDS, rivals } from '../../agent/persist/rival-profiles.ts'
import { SYSCTL_KEYS } from '../../agent/model/desired-network.ts'
import { type Interface, settle } from '../../contract/interface.ts'
import { anyWish } from './any-wish.ts'
import { type DaemonBackend, type DaemonHost, daemonHost } from './daemon-host.ts'

/** A reboot has the same result as a run: the daemon reads the files that a run wrote, and the kernel state equals that after the run. */
const isRoot = process.getuid?.() === 0
const macs = Array.from({ length: 10 }, (_, n) => `fa:16:3e:00:00:0${n}`)
const WISHES = Number(process.env.WISHES ?? 1)
const SEED = Number(process.env.SEED ?? 1_075_090_324)

/** Further input of each run: pod networks, for which each address gets rules. */
const told = { podNetworks: ['10.244.0.0/16', 'fd44::/56'] }

/** @returns an interface with this id */
type Made = (n: number) => Partial<Interface>

const four = (n: number) => ({ address: `10.0.${n}.23`, cidr: `10.0.${n}.0/24` })
const six = (n: number) => ({ address: `fd00:${n}::23`, cidr: `fd00:${n}::/64` })
const both = (n: number) => ({ ...four(n), addresses: [`fd00:${n}::23/64`] })
const gateway = (n: number) => ({ gateway: `10.0.${n}.1` })

/** Each table is one config with up to ten interfaces. */
const tables: Record<string, Record<string, Made>> = {
	'addresses and MTUs': {
		'IPv4 with a gateway': n => ({ ...four(n), ...gateway(n), mtu: 1400 }),
		'IPv6 with a gateway': n => ({ ...six(n), gateway: `fd00:${n}::1` }),
		'both families': n => ({ ...both(n), ...gateway(n), mtu: 9000 }),
		'no address': () => ({}),
		'no address, an MTU below 1280': () => ({ mtu: 1200 }),
		'an address, an MTU below 1280': n => ({ ...four(n), mtu: 1200 }),
		'an MTU of 1280': n => ({ ...both(n), mtu: 1280 }),
		'a /32 address with a gateway': n => ({ address: `10.0.${n}.23`, cidr: `10.0.${n}.23/32`, ...gateway(n) }),
		'a /128 address with a gateway': n => ({ address: `fd00:${n}::23`, cidr: `fd00:${n}::23/128`, gateway: `fd01:${n}::1` }),
		'several addresses of each family': n => ({
			...both(n),
			addresses: [`10.0.${n}.24/24`, `10.1.${n}.5/28`, `fd00:${n}::23/64`, `fd01:${n}::5/64`],
		}),
	},
	routes: {
		'metrics and tables': n => ({
			...four(n),
			routes: [
				{ to: `10.${n}.1.0/24`, via: `10.0.${n}.7`, metric: 50, table: 254 },
				{ to: `10.${n}.2.0/24`, via: `10.0.${n}.7` },
				{ to: `10.${n}.3.0/24`, via: `10.99.${n}.7`, table: 500 },
				{ to: `10.${n}.4.0/24`, metric: 7 },
			],
		}),
		'metrics and tables, IPv6': n => ({
			...both(n),
			routes: [
				{ to: `fd0${n}:1::/48`, via: `fd00:${n}::7`, metric: 50, table: 254 },
				{ to: `fd0${n}:2::/48`, via: `fd00:${n}::7` },
				{ to: `fd0${n}:3::/48`, table: 500 },
				{ to: `fd0${n}:4::/48`, metric: 7 },
			],
		}),
		'no policy routing': n => ({ ...both(n), ...gateway(n), policyRouting: false }),
		'a default route': n => ({ ...four(n), ...gateway(n), defaultRoute: true }),
		'an IPv6 default route': n => ({ ...six(n), gateway: `fd00:${n}::1`, defaultRoute: true }),
		'a default route without policy routing': n => ({ ...four(n), ...gateway(n), defaultRoute: true, policyRouting: false }),
		'a route via a link-local next hop': n => ({ ...six(n), routes: [{ to: `fd0${n}:1::/48`, via: 'fe80::1' }] }),
	},
}

const backends: DaemonBackend[] = ['netplan-networkd', 'netplan-networkmanager', 'networkmanager-keyfile']

describe.skipIf(!isRoot).each(backends)('a boot with %s has the same result as a run (needs root for network namespaces)', backend => {
	let host: DaemonHost

	beforeAll(async () => {
		host = await daemonHost(backend, macs)
	})
	afterAll(() => host?.close())

	test.each(Object.entries(tables))('%s', async (_, table) => {
		const wish = Object.values(table).map((made, id) => ({ id, macAddress: macs[id] ?? '', ...made(id) }))
		await expectSame(wish, Object.keys(table))
	})

	test(`${WISHES} random configs`, async () => {
		const wishes = fc.sample(anyWish(macs, macs.length), { numRuns: WISHES, seed: SEED }).filter(({ length }) => length > 0)
		for (const wish of wishes)
			await expectSame(
				wish,
				wish.map(nic => JSON.stringify(nic)),
			)
	})

	if (backend !== 'netplan-networkd')
		test('NetworkManager reads the profiles as intended, and a profile with the same priority is detected as a rival', async () => {
			const wish = Object.values(tables['addresses and MTUs'] ?? {}).map((made, id) => ({ id, macAddress: macs[id] ?? '', ...made(id) }))
			const wanted = settle(wish, told)
			await host.startOver()
			await host.agent(wish, told)
			await host.boot(wish)
			const ask = async (fields: readonly string[], ...which: string[]) =>
				(await host.onHost('nmcli', '-t', '-e', 'no', '-f', fields.join(','), 'connection', 'show', ...which)).stdout
			for (const nic of wanted) expect(profileFaults(nic, await ask(PROFILE_FIELDS, profileUuid(nic))), nic.name).toEqual([])
			const own = new Set(wanted.map(profileUuid))
			expect(rivals(await ask(RIVAL_FIELDS), new Set()).map(({ uuid }) => uuid)).toEqual(expect.arrayContaining([...own]))
			expect(rivals(await ask(RIVAL_FIELDS), own)).toEqual([])
			const theirs = ['type', 'ethernet', 'ifname', 'multinic3', 'con-name', 'a: b', 'connection.autoconnect-priority', '999']
			await host.onHost('nmcli', 'connection', 'add', ...theirs)
			const [rival, ...more] = rivals(await ask(RIVAL_FIELDS), own)
			expect([rival?.name, more]).toEqual(['a: b', []])
			const said = await ask(FIT_FIELDS, rival?.uuid ?? '')
			expect(wanted.filter(nic => isProfileFor(nic, said)).map(({ name }) => name)).toEqual(['multinic3'])
			// There is no file for networkd, because `netplan apply` would stop NetworkManager for it.
			expect((await host.inside('ls', [`${host.root}/run/systemd/network`])).stdout).toBe('')
		})

	async function expectSame(wish: Partial<Interface>[], titles: readonly string[]): Promise<void> {
		await host.startOver()
		const { report, stdout } = await host.agent(wish, told)
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', backend })
		const run = await statesOf(host, wish, titles)
		await host.boot(wish)
		expect(await statesOf(host, wish, titles)).toEqual(run)
		const look = await host.agent(wish, { ...told, mode: 'Verify' })
		expect(look.report, look.stdout).toMatchObject({ outcome: 'Succeeded' })
	}
})

describe.skipIf(!isRoot)('a NIC with an alternative name, and a netplan file for en* (needs root for network namespaces)', () => {
	const wish = [{ id: 1, macAddress: macs[0] ?? '', ...four(1) }]
	const theirs = '/run/systemd/network/10-netplan-all-en.network'
	let host: DaemonHost

	beforeAll(async () => {
		host = await daemonHost('netplan-networkd', macs.slice(0, 1))
		const catchAll = 'network: {version: 2, ethernets: {all-en: {match: {name: "en*"}, dhcp4: true}}}\n'
		writeFileSync(`${host.inner}/etc/netplan/90-default.yaml`, catchAll, { mode: 0o600 })
		writeFileSync(`${host.inner}/usr/local/sbin/busctl`, '#!/bin/sh\n', { mode: 0o755 }) // A bus that accepts every call.
	})
	afterAll(() => host?.close())

	test('is refused if networkd manages it by that name, and the message contains the file and the name', async () => {
		await host.boot([], { altname: 'enp0s7', state: 'configuring' })
		const { report, stdout } = await host.agent(wish, told)
		expect(report, stdout).toMatchObject({ outcome: 'Failed', changes: 0, interfaces: [{ reason: 'InUse' }] })
		expect(report?.interfaces[0]?.message).toMatch(
			/from \/run\/systemd\/network\/10-netplan-all-en\.network, which also matches \w+.*networkctl status ens0/,
		)
	})

	test('is configured but not persistent if networkd does not manage it', async () => {
		await host.startOver()
		await host.ip('link property add dev ens0 altname enp0s7')
		await host.onHost('/usr/libexec/netplan/generate')
		await host.inside('mkdir', [`${host.root}/run/systemd/system`])
		const { report, stdout } = await host.agent(wish, told)
		const says = `systemd-networkd would apply ${theirs} to multinic1, which also has the name enp0s7 (cat ${theirs})`
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'False', message: says } })
	})

	test('is configured from the other file after a boot, according to networkd', async () => {
		await host.boot(wish, { altname: 'enp0s7', state: 'configuring' })
		const [{ ifindex } = {}] = await host.ask('link show multinic1')
		const { stdout } = await host.inside('grep', ['NETWORK_FILE', `${host.root}/run/systemd/netif/links/${ifindex}`])
		expect(stdout).toBe(`NETWORK_FILE=${theirs}\n`)
	})

	test('is configured from the MultiNIC file after a boot without the alternative name', async () => {
		await host.boot(wish)
		const [{ ifindex } = {}] = await host.ask('link show multinic1')
		const { stdout } = await host.inside('grep', ['NETWORK_FILE', `${host.root}/run/systemd/netif/links/${ifindex}`])
		expect(stdout).toBe('NETWORK_FILE=/run/systemd/network/10-netplan-multinic1.network\n')
	})
})

type Ip = Record<string, unknown>

/** The kernel state of each NIC, by title. */
async function statesOf(host: DaemonHost, wish: readonly Partial<Interface>[], titles: readonly string[]) {
	await host.settled()
	const links = await host.ask('-d addr show')
	const routes = [...(await host.ask('-4 -N -d route show table all')), ...(await host.ask('-6 -N -d route show table all'))]
	const rules = [...(await host.ask('-4 -N rule')), ...(await host.ask('-6 -N rule'))].map(rule => JSON.stringify(rule)).sort()
	const keys = [...SYSCTL_KEYS, 'ipv4/forwarding', 'ipv4/proxy_arp', 'ipv6/forwarding', 'ipv6/use_tempaddr']
	const settings = (
		await host.inside('sh', ['-c', `grep -s . ${keys.map(key => `/proc/sys/net/${key.replace('/', '/conf/multinic*/')}`).join(' ')}`])
	).stdout
	const states = wish.map(({ id }, at) => {
		const name = `multinic${id}`
		const link = links.find(({ ifname }) => ifname === name)
		const state = {
			mtu: link?.mtu,
			up: (link?.flags as string[] | undefined)?.includes('UP'),
			addresses: ((link?.addr_info ?? []) as Ip[]).map(addressWords).sort(),
			routes: routes
				.filter(({ dev }) => dev === name)
				.filter(isReached)
				.map(routeWords)
				.sort(),
			settings: settings.split('\n').filter(line => line.includes(`/${name}/`)),
		}
		return [titles[at], state]
	})
	return { ...Object.fromEntries(states), rules }
}

/**
 * Ignores the label, and the flag `noprefixroute`, because NetworkManager adds the connected routes itself; they are compared as routes.
 */
function addressWords({ noprefixroute: _, label: _label, ...address }: Ip): string {
	return JSON.stringify(address, Object.keys(address).sort())
}

/** NetworkManager adds a route for each address of a network, the kernel only for the first; all but the first are never used. */
function isReached({ dst, table, metric, protocol }: Ip, at: number, routes: readonly Ip[]): boolean {
	return protocol !== '2' || routes.findIndex(other => other.dst === dst && other.table === table && other.metric === metric) === at
}

/**
 * NetworkManager always sets metric 1024 for the link-local network, and the kernel 256. The metric has no effect, because each packet to
 * that network specifies its link.
 */
function routeWords({ pref: _, ...route }: Ip): string {
	if (route.dst === 'fe80::/64') route.metric = 256
	return JSON.stringify(route, Object.keys(route).sort())
}

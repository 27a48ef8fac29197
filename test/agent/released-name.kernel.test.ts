import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Fault } from './broken-host.ts'
import { type DaemonHost, daemonHost } from './daemon-host.ts'

/** systemd-networkd removes its configuration from a link that is down and gets a name that its file does not match. */
const isRoot = process.getuid?.() === 0
const macs = ['fa:16:3e:00:00:00', 'fa:16:3e:00:00:01'] as const

const first = [
	{
		id: 0,
		macAddress: macs[0],
		address: '10.0.0.23',
		cidr: '10.0.0.0/24',
		addresses: ['fd00::23/64'],
		routes: [{ to: '10.9.0.0/16', via: '10.0.0.7', table: 254 }],
	},
	{ id: 1, macAddress: macs[1], address: '10.0.1.23', cidr: '10.0.1.0/24' },
]

/** The second interface is refused, because its address is on `lo`. */
const second = [
	{ id: 0, macAddress: macs[1], address: '10.0.1.23', cidr: '10.0.1.0/24' },
	{ id: 2, macAddress: macs[0], address: '10.0.7.1', cidr: '10.0.7.0/24' },
]

describe.skipIf(!isRoot)(
	'a refused link that networkd configured and whose name another link gets (needs root for network namespaces)',
	() => {
		let host: DaemonHost

		beforeAll(async () => {
			host = await daemonHost('netplan-networkd', macs)
			await host.ip('addr add 10.0.7.1/32 dev lo')
		})
		afterAll(() => host?.close())

		test.each<[kernel: string, setup: string, fault?: Fault]>([
			['that renames links that are up', 'configured'],
			['before 6.2, where a link must be down to be renamed', 'unmanaged', { how: 'fail', renameDown: true }],
		])('keeps its addresses and routes on a kernel %s; networkd then reports it as %s', async (_, setup, fault) => {
			await host.startOver()
			await host.agent(first)
			await host.boot(first)
			writeFileSync(`${host.inner}/usr/local/sbin/busctl`, '#!/bin/sh\n', { mode: 0o755 }) // A bus that accepts every call.
			const before = await networkOf('multinic0')
			expect(before).toMatchObject({
				addresses: ['10.0.0.23', 'fd00::23'],
				routes: expect.stringContaining('10.9.0.0/16 via 10.0.0.7'),
			})
			const { report, stdout } = await host.agent(second, {}, fault)
			expect(report, stdout).toMatchObject({ outcome: 'PartlyFailed', interfaces: [{ state: 'Configured' }, { reason: 'InUse' }] })
			expect(await networkOf('ens0')).toEqual(before)
			const { stdout: list } = await host.onHost('networkctl', 'list', '--no-legend', '--no-pager', 'ens0')
			expect(list).toContain(` ${setup}`)
		})

		async function networkOf(name: string) {
			const links = await host.ask(`addr show dev ${name} scope global`)
			const lines = await Promise.all(['-4', '-6'].map(family => host.inside('ip', [family, 'route', 'show', 'table', 'all', 'dev', name])))
			const routes = lines.flatMap(({ stdout }) => stdout.split('\n').filter(line => line.includes('10.9.') || line.includes('table 100')))
			return {
				addresses: links.flatMap(({ addr_info }) => (addr_info as { local?: string }[]).flatMap(({ local = [] }) => local)),
				routes: routes
					.map(line => line.trim())
					.toSorted()
					.join('\n'),
			}
		}
	},
)

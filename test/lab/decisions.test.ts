import { constants } from 'node:os'
import { describe, expect, test } from 'vitest'
import { identities } from '../../lab/nodes/identity.ts'
import { lacksOf, type Machine } from '../../lab/setup/check-machine.ts'
import { hasPendingSignal } from '../../lab/namespace/namespace.ts'
import { nicArgument, type Port, plug } from '../../lab/nodes/attached-port.ts'
import { seconds } from '../../lab/base/progress.ts'

const able: Machine = {
	platform: 'linux',
	arch: 'x64',
	uid: 0,
	absent: [],
	kitBuilt: true,
	go: undefined,
	namespaces: true,
	tun: true,
	freeBytes: 8 * 2 ** 30,
}

describe('the requirements of the lab', () => {
	test.each<[title: string, machine: Machine, nodes: number, parts: RegExp[]]>([
		['a machine that has everything lacks nothing', able, 2, []],
		[
			'a Mac lacks Linux, and nothing else is checked',
			{ ...able, platform: 'darwin', uid: 501, absent: ['unshare'] },
			2,
			[/^Linux \(this is darwin\)/],
		],
		['an ARM machine lacks an x86-64 processor', { ...able, arch: 'arm64' }, 2, [/x86-64 processor/]],
		[
			'a user who is not root lacks root, and its consequences are not reported',
			{ ...able, uid: 1000, namespaces: false, tun: false },
			2,
			[/^root/],
		],
		['an unprivileged container lacks namespaces', { ...able, namespaces: false }, 2, [/namespaces/]],
		['a container without the tun device lacks /dev/net/tun', { ...able, tun: false }, 2, [/\/dev\/net\/tun/]],
		['each missing program is named', { ...able, absent: ['apt-get', 'flock'] }, 2, [/program apt-get/, /program flock/]],
		['a machine without Go cannot build the lab', { ...able, kitBuilt: false }, 2, [/^Go, .*found: none/]],
		['the Go of Debian 12 is too old', { ...able, kitBuilt: false, go: 'go1.19.8' }, 2, [/found: go1\.19\.8/]],
		['Go 1.21 can download the required version', { ...able, kitBuilt: false, go: 'go1.21.0' }, 2, []],
		[
			'the required memory depends on the number of nodes',
			{ ...able, freeBytes: 2 * 2 ** 30 },
			9,
			[/9 nodes need 4\.2 GiB, 2\.0 GiB are free/],
		],
	])('%s', (_, machine, nodes, parts) => {
		const lacks = lacksOf(machine, nodes)
		expect(lacks.map(({ part }) => part)).toEqual(parts.map(part => expect.stringMatching(part)))
		expect(lacks.every(({ remedy }) => remedy.length > 0)).toBe(true)
	})
})

describe('attaching a port', () => {
	const port = (mac: string, index: number): Port => ({ mac, network: 'data', index })

	test.each<[title: string, there: Port[], index: number]>([
		['the first port gets index 1, because 0 is the management NIC', [], 1],
		['a further port gets the next index', [port('a', 1)], 2],
		['the lowest free index is used again', [port('b', 2)], 1],
	])('%s', (_, there, index) => {
		const { ports, plugged } = plug(there, { mac: 'new', network: 'data' })
		expect(plugged).toEqual(port('new', index))
		expect(ports).toEqual([...there, plugged])
	})

	test('a MAC that is already attached is rejected', () => {
		expect(() => plug([port('a', 1)], { mac: 'a', network: 'other' })).toThrow('a is already attached')
	})

	test('a NIC has the same name on the command line and on the console', () => {
		const [node] = identities(1)
		expect(node && nicArgument(node, port('fa:16:3e:37:c3:f1', 3))).toBe('vec3:transport=tap,ifname=tap1-3,mac=fa:16:3e:37:c3:f1')
	})
})

test('no two nodes share an address, a MAC or a pod range', () => {
	const all = identities(9)
	for (const key of ['name', 'address', 'mac', 'podRange'] as const) expect(new Set(all.map(node => node[key])).size).toBe(9)
})

test.each<[title: string, signals: number[], asked: boolean]>([
	['no signal pending', [], false],
	['SIGTERM pending', [constants.signals.SIGTERM], true],
	['SIGINT among others', [constants.signals.SIGINT, constants.signals.SIGCHLD], true],
	['SIGCHLD alone', [constants.signals.SIGCHLD], false],
])('hasPendingSignal detects a pending signal that ends the lab: %s', (_, signals, asked) => {
	const bits = signals.reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n)
	expect(hasPendingSignal(`SigPnd:\t0000000000000000\nShdPnd:\t${bits.toString(16).padStart(16, '0')}\nSigBlk:\t0000000000004002\n`)).toBe(
		asked,
	)
})

test.each([
	[340, '0.3 s'],
	[59_940, '59.9 s'],
	[95_000, '1 min 35 s'],
	[119_900, '2 min 0 s'],
])('%i ms is formatted as %s', (ms, text) => {
	expect(seconds(ms)).toBe(text)
})

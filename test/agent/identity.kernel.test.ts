import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyLink } from './any-link.ts'
import { type NodeHost, nodeHost } from './node-host.ts'

/** Reads a link, writes what was read to a new link, and compares both. `SEED` selects the links, and `LINKS` sets their number. */
const isRoot = process.getuid?.() === 0
const LINKS = Number(process.env.LINKS ?? 50)
const SEED = Number(process.env.SEED ?? 20_261_129)

/** Minimized cases that a longer search found. */
const examples = [
	[
		'addr add 10.3.0.4/24 dev ens0',
		'route add local default dev ens0 table 77',
		'route add 10.102.0.0/32 table 77 proto static nexthop via 10.5.0.5 dev ens0 nexthop via 10.3.0.6 dev ens0 onlink',
	],
	// One of the two next hops of the default route is the link without a gateway; the kernel selects it for about half of the gateways.
	[
		'addr add fd01::4/64 dev ens0',
		'-6 nexthop add id 6 dev ens0',
		'nexthop add id 7 via fd01::5 dev ens0',
		'nexthop add id 9 group 6/7',
		'-6 route add default nhid 9',
		...Array.from({ length: 8 }, (_, at) => `-6 route add fd1${at}::/32 via fd05::${at} dev ens0`),
	],
]

type Rewritten = { lines: string[]; failed: string; differ: string[]; raw: string[]; again: string[] }

describe.skipIf(!isRoot)('a link (needs root for network namespaces)', () => {
	let host: NodeHost

	beforeAll(async () => {
		host = await nodeHost()
		await host.inside('sysctl', ['-qw', 'net.ipv4.conf.default.promote_secondaries=1'])
	})
	afterAll(() => host?.close())

	test(`is restored as it was read: ${LINKS} random links, SEED=${SEED}`, async () => {
		const cases = join(host.root, 'cases.json')
		writeFileSync(cases, JSON.stringify([...examples, ...fc.sample(anyLink, { numRuns: LINKS, seed: SEED })]))
		const { stdout, stderr } = await host.inside(process.execPath, [join(import.meta.dirname, 'rewritten.ts'), host.root, cases])
		const rewritten = stdout
			.split('\n')
			.filter(Boolean)
			.map(line => JSON.parse(line) as Rewritten)
		expect(rewritten, stderr).toHaveLength(examples.length + LINKS)
		for (const { lines, failed, differ, raw, again } of rewritten) {
			expect({ failed, differ }, lines.join('\n')).toEqual({ failed: '', differ: [] })
			expect(again, lines.join('\n')).toEqual(raw)
		}
	})
})

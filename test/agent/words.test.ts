import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseConfig, parseSettings } from '../../agent/config.ts'
import { fingerprint, lostFrom } from '../../agent/plan/fingerprint.ts'
import { deviceWord } from '../../agent/ip/device-word.ts'
import { parseNetwork } from '../../agent/ip/parse-network.ts'
import { parseRules } from '../../agent/ip/parse-rules.ts'
import { formatChange } from '../../agent/ip/format-change.ts'
import { asSteps } from '../../agent/model/change.ts'
import { yaml } from '../../agent/persist/write-yaml.ts'
import { rollbackFiles } from '../../agent/rollback/systemd-units.ts'
import { orderRenames } from '../../agent/plan/rename-order.ts'
import { reportText, shortText } from '../../agent/report/report-text.ts'
import { AgentReport } from '../../contract/agent-run.ts'
import { settle } from '../../contract/interface.ts'
import { TERMINATION_MAX_BYTES } from '../../contract/names.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { hostWith } from './simulated-host.ts'

const mac = 'fa:16:3e:37:c3:f1'
const [nic] = settle([
	{ id: 0, macAddress: mac, address: '10.0.0.23', cidr: '10.0.0.5/24', mtu: 1450, gateway: '10.0.0.1', addresses: ['fd00::5/64'] },
])
if (!nic) throw new Error('no nic')

describe('renames', () => {
	const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
	const permutation = fc.tuple(
		fc.shuffledSubarray(names, { minLength: 5, maxLength: 5 }),
		fc.shuffledSubarray(names, { minLength: 5, maxLength: 5 }),
	)

	test('from any names to any names only use names that were free at the start of the phase', () => {
		fc.assert(
			fc.property(permutation, ([from, to]) => {
				const moves = from.map((name, link) => ({ link, from: name, to: to[link] ?? '' }))
				const now = new Map(from.map((name, link) => [link, name]))
				const { first, second } = orderRenames(moves)
				for (const phase of [first, second]) {
					const heldBefore = new Set(now.values())
					for (const { link, to: name } of phase) {
						expect(heldBefore).not.toContain(name)
						now.set(link, name)
					}
				}
				expect([...now.values()]).toEqual(to)
			}),
		)
	})
})

describe('netplan', () => {
	test('YAML with any text is parsed as intended', () => {
		const leaf = fc.oneof(fc.string({ unit: 'binary-ascii' }), fc.integer(), fc.boolean())
		const tree = fc.dictionary(
			fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
			fc.oneof(leaf, fc.array(leaf, { minLength: 1 }), fc.dictionary(fc.string({ unit: 'grapheme-ascii' }), leaf, { minKeys: 1 })),
			{ minKeys: 1 },
		)
		fc.assert(
			fc.property(tree, value => {
				expect(parse(yaml(value))).toEqual(value)
			}),
		)
	})
})

describe('the comparison of unmanaged objects', () => {
	const other = {
		ifindex: 9,
		name: 'eth0',
		mac: 'fa:16:3e:00:00:09',
		up: true,
		addresses: [{ family: 4 as const, cidr: '192.0.2.5/24', global: true, dynamic: false }],
	}
	const pod = { ifindex: 12, name: 'cali1', mac: 'ee:ee:ee:ee:ee:ee', up: true }
	const rule = { family: 4 as const, priority: 500, from: '10.2.0.1/32', table: 7, plain: true, words: 'from 10.2.0.1' }
	const before = hostWith([other, pod], { rules: [rule] })
	test.each<[title: string, after: ReturnType<typeof hostWith>, lost: RegExp[]]>([
		['reports nothing if nothing has changed', before, []],
		['ignores added objects', hostWith([other, pod, { ...pod, ifindex: 13 }], { rules: [rule, { ...rule, words: 'other' }] }), []],
		['ignores a removed link', hostWith([other], { rules: [rule] }), []],
		[
			'reports a removed address',
			hostWith([{ ...other, addresses: [] }, pod], { rules: [rule] }),
			[/192\.0\.2\.5\/24 on eth0/, /route 192\.0\.2\.0\/24/],
		],
		['reports a different MTU', hostWith([{ ...other, mtu: 1400 }, pod], { rules: [rule] }), [/mtu 1500.*now.*mtu 1400/]],
		['reports a removed rule', hostWith([other, pod]), [/from 10\.2\.0\.1/]],
	])('%s', (_, after, lost) => {
		expect(lostFrom(fingerprint(before, new Set()), fingerprint(after, new Set()))).toEqual(lost.map(words => expect.stringMatching(words)))
	})
})

describe('ip', () => {
	test('output with `default` is parsed for both families, and a rule with a link is not plain', () => {
		const links = [{ ifindex: 3, ifname: 'ens7', flags: ['UP'], mtu: 1500, link_type: '[1]', address: mac.toUpperCase(), addr_info: [{}] }]
		const routes = [
			{ dst: 'default', gateway: '10.0.0.1', dev: 'ens7', table: '100', protocol: '4', scope: '0', type: '1', flags: [] },
			{ dst: 'default', dev: 'ens7', table: '254', protocol: '9', metric: 1024, pref: 'medium', type: '1', flags: ['onlink'] },
		]
		const {
			links: [link],
			routes: parsed,
		} = parseNetwork({ addresses: links, routes, neighbours: [] })
		expect(link).toMatchObject({ mac, ethernet: true, up: true, addresses: [] })
		expect(parsed).toMatchObject([
			{ family: 4, to: '0.0.0.0/0', link: 3, table: 100 },
			{ family: 6, to: '::/0', metric: 1024, onlink: true },
		])
		expect(parseRules([{ priority: 20, src: '10.0.0.0', srclen: 24, iif: 'v0', table: '100', protocol: '4' }], 4)).toMatchObject([
			{ from: '10.0.0.0/24', plain: false },
		])
	})

	test('commands for IPv6 rules have family 6', () => {
		const rule = { family: 6 as const, priority: 10_000, from: 'fd00::5/128', table: 100, plain: true, words: '' }
		expect(formatChange({ kind: 'addRule', rule })).toEqual({
			family: 6,
			line: 'rule add from fd00::5/128 priority 10000 table 100 protocol 4',
		})
	})
})

describe('the rollback units on the host', () => {
	const programs = { ip: '/sbin/ip', cp: '/bin/cp', mv: '/bin/mv', rm: '/bin/rm', sleep: '/bin/sleep' }
	const undo = asSteps([
		{ kind: 'removeFile', path: '/etc/netplan/99-multinic0.yaml' },
		{ kind: 'writeFile', path: '/etc/sysctl.d/99-multinic0.conf', file: { content: 'old', mode: 0o644, gid: 0 } },
		{ kind: 'rename', link: 3, to: 'ens7' },
		{ kind: 'sysctl', name: 'ens7', key: 'ipv4/arp_ignore', value: '0' },
	])
	const recipe = rollbackFiles({ undo, programs, tag: 'g1', bootId: '', commitTimeoutSeconds: 60, onRoot: true })
	const commands = (unit: Record<string, { content: string }>) =>
		Object.values(unit).flatMap(({ content }) => [...content.matchAll(/^ExecStart=(.*)$/gm)].map(([, command]) => command))

	test('roll back everything while the host runs, without Node.js and without a shell', () => {
		expect(commands(recipe.live)).toEqual([
			'/bin/mv -T /var/lib/multinic/undo /var/lib/multinic/undoing',
			'-/bin/rm -f /etc/netplan/99-multinic0.yaml',
			'-/bin/cp -p --remove-destination /var/lib/multinic/undoing/001-0 /etc/sysctl.d/99-multinic0.conf',
			'-/sbin/ip -force -batch /var/lib/multinic/undoing/002',
			'-/bin/cp /var/lib/multinic/undoing/value-0 /proc/sys/net/ipv4/conf/ens7/arp_ignore',
			expect.stringMatching(/^-\/bin\/rm -rf \/var\/lib\/multinic\/undoing .*multinic-undo-g1\.service$/),
		])
		expect(recipe.files['/var/lib/multinic/undo/002']?.content).toBe(`link set dev ${deviceWord(3)} name ens7\n`)
	})

	test('restore at boot what netplan generates before the rollback removes the netplan files of MultiNIC', () => {
		const rules = '/run/udev/rules.d/90-netplan.rules'
		const made = { [rules]: { content: 'theirs', mode: 0o644, gid: 0 }, '/run/NetworkManager/conf.d/netplan.conf': undefined }
		const { files, boot, live } = rollbackFiles({
			undo,
			programs,
			tag: 'g1',
			bootId: '',
			commitTimeoutSeconds: 60,
			onRoot: true,
			madeAtBoot: made,
		})
		expect(files['/var/lib/multinic/undo/boot-0']?.content).toBe('theirs')
		expect(commands(boot)).toEqual(
			expect.arrayContaining([
				`-/bin/cp -p /var/lib/multinic/undoing/boot-0 ${rules}`,
				'-/bin/rm -f /run/NetworkManager/conf.d/netplan.conf',
			]),
		)
		expect(commands(live).filter(command => command?.includes('netplan.conf') || command?.includes('90-netplan'))).toEqual([])
	})

	test('restore only files at boot, before udev assigns names', () => {
		expect(commands(recipe.boot).filter(command => command?.includes('/sbin/ip') || command?.includes('/proc'))).toEqual([])
		expect(Object.values(recipe.boot)[0]?.content).toMatch(
			/Before=network-pre\.target .*systemd-udevd\.service systemd-udev-trigger\.service/,
		)
	})
})

describe("the agent's output", () => {
	test('for ten NICs that failed with long messages fits into a termination message and is a valid report', () => {
		const interfaces = Array.from({ length: 10 }, (_, id) => ({
			id,
			name: `multinic${id}`,
			macAddress: mac,
			state: 'Failed' as const,
			reason: 'CommandFailed' as const,
			message: 'ä'.repeat(256),
			changes: 0,
			warnings: [{ reason: 'GatewaySilent' as const, message: 'x'.repeat(256) }],
		}))
		const report: AgentReport = {
			nodeName: 'n'.repeat(253),
			uid: 'u'.repeat(36),
			generation: 1,
			attempt: 1,
			version: 1,
			mode: 'Apply',
			outcome: 'Failed',
			reason: 'CommandFailed',
			message: 'ä'.repeat(256),
			persistent: { status: 'Unknown', message: 'x' },
			started: '2026-01-01T00:00:00.000Z',
			finished: '2026-01-01T00:00:00.000Z',
			milliseconds: {},
			changes: 0,
			interfaces,
			probes: { before: [], after: [] },
		}
		expect(Buffer.byteLength(shortText(report))).toBeLessThanOrEqual(TERMINATION_MAX_BYTES)
		expect(AgentReport.parse(JSON.parse(shortText(report))).interfaces).toHaveLength(10)
		expect(JSON.parse(reportText(report))).toEqual(report)
		const long = {
			done: Array(30).fill('ä'.repeat(80)),
			drift: Array(20).fill({ attribute: 'file', of: '/x'.repeat(80), wanted: 'x', found: 'y' }),
		}
		const detailed = { ...report, drift: long.drift, interfaces: interfaces.map(nic => ({ ...nic, ...long })) }
		expect(Buffer.byteLength(shortText(detailed))).toBeLessThanOrEqual(TERMINATION_MAX_BYTES)
		expect(JSON.parse(reportText(detailed))).toEqual(report)
		const [first] = detailed.interfaces
		const one = { ...report, interfaces: first ? [first] : [] }
		expect(JSON.parse(reportText(one))).toEqual(one)
	})

	test.each<[title: string, text: string, says: RegExp]>([
		['is not JSON', '{', /config\.json is not JSON/],
		['has an MTU of 20', JSON.stringify(runConfig([{ id: 0, macAddress: mac, mtu: 20 }])), /interfaces\[0\]\.mtu: /],
		['has an id of 10', JSON.stringify(runConfig([{ id: 10, macAddress: mac }])), /interfaces\[0\]\.id: /],
		[
			'has the same MAC twice',
			JSON.stringify(
				runConfig([
					{ id: 0, macAddress: mac },
					{ id: 1, macAddress: mac.toUpperCase() },
				]),
			),
			/interfaces: macAddress must be unique/,
		],
		['has no interfaces', JSON.stringify({ ...runConfig([]), interfaces: undefined }), /interfaces: /],
		['has an unknown field', JSON.stringify({ ...runConfig([]), extra: 1 }), /extra/],
	])('for a config that %s contains the error', (_, text, says) => {
		expect(() => parseConfig(text, 'config.json')).toThrow(says)
	})

	test('for an invalid environment contains the names of the variables', () => {
		expect(() => parseSettings({ HOST_ROOT: 'host', LOG_FORMAT: 'xml' })).toThrow(/HOST_ROOT.*LOG_FORMAT/)
	})
})

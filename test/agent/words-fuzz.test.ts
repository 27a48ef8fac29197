import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { addresseeOf, parseConfig } from '../../agent/config.ts'
import { isFailure, wordsOf } from '../../agent/model/failure.ts'
import { shownCommand } from '../../agent/report/shown-command.ts'
import { formatChange } from '../../agent/ip/format-change.ts'
import type { Daemon, HostState } from '../../agent/model/host-state.ts'
import { createLog, logError } from '../../agent/report/log.ts'
import { type Plan, plan } from '../../agent/plan/plan.ts'
import { rollbackFiles } from '../../agent/rollback/systemd-units.ts'
import { logInterfaces } from '../../agent/report/log-run.ts'
import type { RunConfig } from '../../contract/agent-run.ts'
import { settle } from '../../contract/interface.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { hostWith } from './simulated-host.ts'

/** External text reaches a command, path or file only with its intended meaning; anything else in it is rejected at the input. */

const macs = ['fa:16:3e:37:c3:f1', 'fa:16:3e:37:c3:f2']
const good = runConfig(
	[
		{
			id: 0,
			name: 'multinic0',
			portId: 'a-port',
			networkId: 'a-network',
			subnetId: 'a-subnet',
			macAddress: macs[0] ?? '',
			address: '10.0.0.23',
			cidr: '10.0.0.0/24',
			mtu: 1450,
			addresses: ['fd00::5/64', '10.5.0.7/16'],
			gateway: '10.0.0.1',
			routes: [{ to: '10.9.0.0/16', via: '10.0.0.7', metric: 7, table: 1000 }, { to: 'fd01::/64' }],
			defaultRoute: true,
			policyRouting: true,
		},
		{ id: 1, macAddress: macs[1] ?? '', address: 'fd02::5', cidr: 'fd02::/64' },
	],
	{ nodeAddresses: ['192.0.2.1', '2001:db8::1'] },
)

/** Text that must not be in any command or file, with letters that are allowed in Kubernetes names. */
const sentinel = 'zzq'
const nasty = fc.constantFrom(
	...['\n', '\r\n', '\0', '"', "'", '`', '$(zzq)', '$zzq', '%n', '%%', '\\', ';zzq', '&&zzq', '|zzq', '>zzq', '#zzq', ' zzq', '\tzzq'],
	...[
		'../',
		'/../zzq',
		'/etc/passwd',
		'-zzq',
		'--zzq',
		'\u2028zzq',
		'\u202ezzq',
		'\u001b[31mzzq',
		'zzq: {',
		'- zzq',
		'!!zzq',
		'*zzq',
		'&zzq',
	],
	...[
		'\nExecStart=/bin/zzq',
		'\n[Service]',
		'\nRUN+="zzq"',
		'", NAME="zzq',
		'name zzq',
		'/24 dev zzq',
		'%zzq',
		'0x1f',
		'１',
		'⁄24',
		'😀',
		'\ud800',
	],
)
const hostile = fc.oneof(
	nasty,
	fc.string({ unit: 'binary', maxLength: 20 }).map(text => text + sentinel),
	fc.string({ unit: 'grapheme', maxLength: 20 }),
)
/** Other spellings of the same value, and other valid values. */
const harmless = fc.oneof(
	fc.ipV4(),
	fc.ipV6(),
	fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${length}`),
	fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, length]) => `${ip}/${length}`),
	fc.constantFrom<unknown>(
		'FA:16:3E:37:C3:F1',
		'zzq',
		'zzq-1',
		9000,
		0,
		-1,
		1.5,
		1e300,
		true,
		false,
		null,
		[],
		{},
		['10.0.0.1/24'],
		undefined,
	),
)
const ip = fc.oneof(fc.ipV4(), fc.ipV6())
const cidr = fc.oneof(
	fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([ip, length]) => `${ip}/${length}`),
	fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, length]) => `${ip}/${length}`),
)
/** Valid values by field; in arrays by position. */
const right = {
	macAddress: fc.constantFrom('FA:16:3E:37:C3:F1', '02:00:00:00:00:99'),
	mtu: fc.integer({ min: 68, max: 65_535 }),
	metric: fc.nat(),
	table: fc.integer({ min: 1, max: 4_294_967_295 }),
	to: cidr,
	0: cidr,
	1: cidr,
	gateway: ip,
	via: ip,
	nodeName: fc.constant(sentinel),
	uid: fc.constant(sentinel),
	portId: fc.constant(sentinel),
	networkId: fc.constant(`Z.${sentinel}_`),
	configMap: fc.constant(sentinel),
	defaultRoute: fc.boolean(),
	policyRouting: fc.boolean(),
	connectedRoute: fc.boolean(),
	mode: fc.constantFrom('Plan', 'Verify', 'Cleanup'),
}
type Place = { parent: Record<string, unknown>; key: string }
const mutation = fc.record({
	at: fc.nat(),
	how: fc.constantFrom('replace', 'before', 'after', 'inside', 'key', 'other', 'right', 'right', 'right', 'right'),
	text: hostile,
	other: harmless,
	right: fc.record(right),
})
const mutated = fc.array(mutation, { minLength: 1, maxLength: 3 }).map(list => {
	const wish = structuredClone(good)
	for (const one of list) mutate(wish, one)
	return wish
})

const script = '/etc/sysconfig/network-scripts/ifcfg-eth0'
/** Hosts with both NICs, in every state that requires different steps. */
const hosts: [title: string, host: HostState][] = [
	['a fresh host', hostOf({})],
	[
		'a host whose links swap their names and must be down to be renamed',
		hostOf({ liveRename: false, networkd: true }, ['multinic1', 'multinic0']),
	],
	[
		'a host with netplan and NetworkManager',
		hostOf({ networkmanager: true, generator: '/usr/libexec/netplan/generate' }, undefined, [], 'NetworkManager'),
	],
	['a host with only NetworkManager', hostOf({ netplan: false, networkmanager: true, keyfiles: true }, undefined, [], 'NetworkManager')],
	[
		'a host with ifcfg files and without NetworkManager',
		hostOf({ netplan: false, files: { [script]: { content: 'DEVICE=eth0', mode: 0o644, gid: 0 } } }),
	],
	['a host whose cloud-init configures both NICs', hostOf({ cloudInit: { macs, forced: false } })],
]

describe('external text', () => {
	test.each(hosts)('is rejected at the input or has its intended meaning on %s', (_, host) => {
		const seen = { refused: 0, taken: 0 }
		fc.assert(
			fc.property(mutated, wish => {
				const told = take(JSON.stringify(wish))
				seen[told ? 'taken' : 'refused']++
				if (told) meansWhatItSays(told, host)
			}),
			{ numRuns: 300, interruptAfterTimeLimit: 600_000 },
		)
		expect(Math.min(seen.refused, seen.taken)).toBeGreaterThan(30)
	})

	test('that is not a config is rejected', () => {
		fc.assert(
			fc.property(
				fc.oneof(
					fc.string(),
					fc.json(),
					fc.json().map(text => text.slice(1)),
				),
				text => void expect(take(text)).toBeUndefined(),
			),
		)
	})

	test('that is rejected is logged in one line, and an invalid report address is not used', () => {
		fc.assert(
			fc.property(mutated, wish => {
				const lines = logged(log => logError(log, 'failed', new Error(wordsOf(refusalOf(JSON.stringify(wish))))))
				for (const line of lines) expect(line).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u)
			}),
		)
		expect(addresseeOf({ configPath: '/nowhere', startedFor: JSON.stringify({ ...good.report, nodeName: 'a\nb' }) })).toBeUndefined()
	})
})

test('a link of the host with any name is left unchanged, or its name is a single word in every command and file', () => {
	const name = fc
		.oneof(nasty, fc.string({ unit: 'binary', maxLength: 15 }))
		.map(text => text.replace(/[\s/\0]/gu, '').slice(0, 15))
		.filter(text => !['', '.', '..'].includes(text) && Buffer.byteLength(text) <= 15)
	fc.assert(
		fc.property(name, fc.array(name, { maxLength: 2 }), (own, altnames) => {
			const host = hostOf({}, [own, 'ens2'], altnames)
			meansWhatItSays(parseConfig(JSON.stringify(good), 'c'), host)
		}),
	)
})

function hostOf(more: Partial<HostState>, names = ['ens1', 'ens2'], altnames: string[] = [], managedBy?: Daemon): HostState {
	const links = names.map((name, n) => ({
		ifindex: n + 2,
		name,
		mac: macs[n] ?? '',
		up: true,
		altnames: n === 0 ? altnames : [],
		...(managedBy && { managedBy }),
		sysctls: { 'ipv4/rp_filter': '1', 'ipv4/arp_ignore': '0', 'ipv6/accept_ra': '1' },
	}))
	return hostWith(links, more)
}

type Mutation = { at: number; how: string; text: string; other: unknown; right: Record<string, unknown> }

function mutate(root: object, { at, how, text, other, right: values }: Mutation): void {
	const all = placesIn(root as Record<string, unknown>)
	const places = how === 'right' ? all.filter(({ parent, key }) => key in values && typeof parent[key] !== 'object') : all
	const { parent, key } = places[at % places.length] ?? { parent: {}, key: '' }
	const now = parent[key]
	// `length` of an array is not a key that could be added.
	if (how === 'key' && !(Array.isArray(parent) && text === 'length')) parent[text] = now
	else if (how === 'other') parent[key] = other
	else if (how === 'right') parent[key] = values[key]
	else if (how === 'replace' || typeof now !== 'string') parent[key] = text
	else if (how === 'before') parent[key] = text + now
	else if (how === 'after') parent[key] = now + text
	else parent[key] = now.slice(0, now.length / 2) + text + now.slice(now.length / 2)
}

function placesIn(value: Record<string, unknown>): Place[] {
	return Object.entries(value).flatMap(([key, child]) => [
		{ parent: value, key },
		...(typeof child === 'object' && child !== null ? placesIn(child as Record<string, unknown>) : []),
	])
}

function take(text: string): RunConfig | undefined {
	const refusal = refusalOf(text)
	if (refusal === undefined) return parseConfig(text, 'config.json')
	expect(isFailure(refusal, 'BAD_INPUT')).toBe(true)
	return undefined
}

function refusalOf(text: string): unknown {
	try {
		parseConfig(text, 'config.json')
		return undefined
	} catch (error) {
		return error
	}
}

function logged(tell: (log: ReturnType<typeof createLog>) => void): string[] {
	let said = ''
	tell(
		createLog('human', line => {
			said += line
		}),
	)
	return said.split('\n')
}

const word = String.raw`[\w.@:/-]+`
const commandLine = new RegExp(`^${word}( [+]?(${word})?)*$`)
const typed = new RegExp(`^${word},?( +(${word}|[+])[,;]?)*(=\\d+)?$`)
const unitLine = new RegExp(
	`^(|\\[(Unit|Service|Timer)\\]|(Description|ConditionPathExists|DefaultDependencies|RequiresMountsFor|After|Wants|Before|Type|OnActiveSec|AccuracySec|Unit)=[\\w./ |-]+|ExecStart=-?${word}( ${word})*)$`,
)
const paths = /^\/(etc|run|var)(\/[\w.@-]+)+$/

function meansWhatItSays(told: RunConfig, host: HostState): void {
	const wish = { interfaces: settle(told.interfaces), nodeAddresses: told.nodeAddresses, kinds: new Set(['hardware']), failed: new Map() }
	const made = plan(wish, host, {})
	const { steps, undo } = made
	for (const step of [...steps, ...undo]) {
		expect(shownCommand(step)).toMatch(typed)
		const { change } = step
		if (!change) continue
		const spelled = formatChange(change)?.line
		if (spelled !== undefined) expect(spelled).toMatch(commandLine)
		if (!('path' in change)) continue
		expect(change.path).toMatch(paths)
		expect(change.path).not.toContain('..')
		if (change.kind === 'writeFile') expectFile(change.path, change.file.content)
	}
	expectRecipe(made)
	for (const line of logged(log => logInterfaces(made, host, { log, mode: told.mode }))) expect(line).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u)
}

function expectRecipe({ undo }: Plan): void {
	const programs = { ip: '/sbin/ip', cp: '/bin/cp', mv: '/bin/mv', rm: '/bin/rm', sleep: '/bin/sleep' }
	const recipe = rollbackFiles({ undo, programs, tag: 'g1-1-abc-0', bootId: '', commitTimeoutSeconds: 60, onRoot: true })
	for (const { content } of Object.values({ ...recipe.live, ...recipe.boot }))
		for (const line of content.split('\n')) expect(line).toMatch(unitLine)
	for (const path of Object.keys({ ...recipe.files, ...recipe.live, ...recipe.boot })) expect(path).toMatch(paths)
}

function expectFile(path: string, content: string): void {
	if (path.endsWith('/record.json')) return void expect(JSON.parse(content)).toMatchObject({ version: 1 })
	expect(content).not.toContain(sentinel)
	if (path.endsWith('.yaml')) expectYaml(parse(content))
	else expectLines(path, content)
}

function expectLines(path: string, content: string): void {
	const [, line] = lineOf.find(([where]) => where.test(path)) ?? []
	expect(line, path).toBeDefined()
	for (const one of content.split('\n')) expect(one).toMatch(line ?? /^$/)
}

/** A comment, a section, or a key with a value that contains only letters, digits and the characters of addresses and lists. */
const keyValue = /^(#[\w .:]*|\[\w+\]|[\w-]+=[\w.:/, =-]*|)$/
const lineOf: [where: RegExp, line: RegExp][] = [
	[/^\/etc\/sysctl\.d\//, /^(#[\w .]*|-net\.ipv[46]\.conf\.multinic\d\.\w+ = \d+|)$/],
	[
		/\.rules$/,
		/^(#[\w .]*|ACTION=="add", SUBSYSTEM=="net", DRIVERS=="\?\*", ATTR\{address\}=="[0-9a-f:]{17}", NAME="multinic\d", RUN\+="[\w/. =-]+"|)$/,
	],
	[/\.nmconnection$/, keyValue],
	[/\.link$/, keyValue],
	[/\/ifcfg-/, /^(#[\w .]*|[A-Z0-9_]+=([\w.:/-]*|"[\w.:/ ]*")|)$/],
	[/\/(route|rule)6?-/, /^(#[\w .]*|[\w.:/]+( [\w.:/]+)*|)$/],
	[/\/99-multinic\.cfg$/, /^(#[\w .]*|network: \{config: disabled\}|)$/],
]

/** All keys are netplan's own, and each value has the kind that its key requires. */
function expectYaml({ network, ...rest }: { network: { ethernets: Record<string, Record<string, unknown>> } }): void {
	expect(rest).toEqual({})
	for (const [name, { match, addresses = [], routes = [], 'routing-policy': rules = [], ...more }] of Object.entries(network.ethernets)) {
		expect(name).toMatch(/^multinic\d$/)
		expect(match).toMatchObject({ macaddress: expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/) })
		const named = more.renderer ? { networkmanager: { passthrough: { 'connection.interface-name': name } } } : { 'set-name': name }
		expect(more).toMatchObject({ ...named, dhcp4: false, dhcp6: false, optional: true })
		expect(JSON.stringify(more)).toMatch(/^[\w\s.:/,"{}[\]-]*$/)
		for (const address of addresses as string[]) expect(address).toMatch(/^[0-9a-f.:]+\/\d+$/)
		for (const { to, via, scope } of routes as Record<string, string>[]) {
			expect(to).toMatch(/^[0-9a-f.:]+\/\d+$/)
			if (via !== undefined) expect(via).toMatch(/^[0-9a-f.:]+$/)
			expect([undefined, 'link']).toContain(scope)
		}
		for (const { from } of rules as Record<string, string>[]) expect(from).toMatch(/^[0-9a-f.:]+$/)
	}
}

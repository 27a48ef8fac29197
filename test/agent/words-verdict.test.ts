import { expect, test } from 'vitest'
import type { HostState } from '../../agent/model/host-state.ts'
import { createLog } from '../../agent/report/log.ts'
import { run } from '../../agent/run/run.ts'
import { logResult } from '../../agent/report/log-run.ts'
import type { AgentReport, RunConfig } from '../../contract/agent-run.ts'
import { runConfig } from '../../lab/setup/machine-agent.ts'
import { hostWith, livingHost } from './simulated-host.ts'

/** The result of a whole run, in its report and in its last log line. */

const mac = (n: number) => `fa:16:3e:00:00:0${n}`
const nic = (id: number) => ({ id, macAddress: mac(id), mtu: 1400 })
const fresh = hostWith([{ ifindex: 3, name: 'ens7', mac: mac(0) }])
const right = await after(fresh, [nic(0)])
const drifted = { ...right, links: right.links.map(link => ({ ...link, mtu: 1500 })) }

type Wish = { start: HostState; mode?: RunConfig['mode']; nics?: ReturnType<typeof nic>[]; unfinished?: string }
type Said = Pick<AgentReport, 'outcome' | 'reason'> & { message: RegExp }

test.each<[title: string, wish: Wish, said: Said]>([
	[
		'a run that configures all interfaces',
		{ start: fresh },
		{ outcome: 'Succeeded', reason: 'AllInterfacesConfigured', message: /^Configured 1\/1$/ },
	],
	[
		'a run with a missing NIC',
		{ start: fresh, nics: [nic(0), nic(1)] },
		{
			outcome: 'PartlyFailed',
			reason: 'WaitingForDevice',
			message: /^Configured 1\/2\. multinic1: no link has MAC \S+ yet \(ip -br link\)\.$/,
		},
	],
	[
		'a run without interfaces',
		{ start: fresh, nics: [] },
		{ outcome: 'Succeeded', reason: 'NoInterfaces', message: /none are left on the node/ },
	],
	[
		'a plan',
		{ start: fresh, mode: 'Plan' },
		{
			outcome: 'Succeeded',
			reason: 'Planned',
			message: /^\d changes would be made; disruption None: ens7 is down and carries no traffic$/,
		},
	],
	['a plan without changes', { start: right, mode: 'Plan' }, { outcome: 'Succeeded', reason: 'Planned', message: /^no changes$/ }],
	[
		'a plan with a missing NIC',
		{ start: fresh, mode: 'Plan', nics: [nic(0), nic(1)] },
		{
			outcome: 'PartlyFailed',
			reason: 'WaitingForDevice',
			message: /^Planned 1\/2\. multinic1: .*\. Others: \d changes would be made; disruption None: /,
		},
	],
	[
		'a plan after an unfinished run',
		{ start: fresh, mode: 'Plan', unfinished: 'g1' },
		{
			outcome: 'Succeeded',
			reason: 'Planned',
			message: /^an earlier run ended before its commit and would be rolled back first; \d changes would be made/,
		},
	],
	[
		'a verification without drift',
		{ start: right, mode: 'Verify' },
		{ outcome: 'Succeeded', reason: 'AllInterfacesConfigured', message: /^Configured 1\/1$/ },
	],
	[
		'a verification with drift',
		{ start: drifted, mode: 'Verify' },
		{ outcome: 'Failed', reason: 'Drifted', message: /^In sync 0\/1\. multinic0: mtu is 1500, not 1400\.$/ },
	],
	[
		'a verification with a leftover',
		{ start: right, mode: 'Verify', nics: [] },
		{ outcome: 'Failed', reason: 'Drifted', message: /^\d+ changes would repair the node$/ },
	],
	[
		'a verification without other drift after an unfinished run, which the host may roll back at any moment',
		{ start: right, mode: 'Verify', unfinished: 'g1' },
		{
			outcome: 'Failed',
			reason: 'Drifted',
			message: /^an earlier run ended before its commit and would be rolled back first; otherwise the node is in sync$/,
		},
	],
])('the result of %s', async (_, wish, { message, ...said }) => {
	const { report, log } = await runOn(wish)
	expect(report).toMatchObject(said)
	expect(report.message).toMatch(message)
	expect(log.trimEnd().split('\n').at(-1)).toContain(report.message)
})

test('the message about the drift of a NIC is short, and contains the number of omitted items', async () => {
	const wish = {
		...nic(0),
		address: '10.0.0.23',
		cidr: '10.0.0.0/24',
		addresses: ['10.1.0.1/16', '10.2.0.1/16', '10.3.0.1/16', '10.4.0.1/16'],
	}
	const { report } = await runOn({ start: right, mode: 'Verify', nics: [wish] })
	const [first] = report.interfaces
	expect(first?.message).toMatch(/^10\.0\.0\.23\/24 is missing; 10\.1\.0\.1\/16 is missing; .*; and \d+ more$/)
	expect(first?.message.length).toBeLessThan(140)
	expect(first?.drift?.length).toBeGreaterThan(5)
})

test('a run has the same number of changes as its only interface', async () => {
	const { report, log } = await runOn({ start: fresh })
	expect(report.changes).toBe(report.interfaces[0]?.changes)
	expect(log).toContain(`applied         ${report.changes} changes`)
	const planned = await runOn({ start: fresh, mode: 'Plan' })
	expect(planned.report.message).toMatch(new RegExp(`^${report.changes} changes would be made`))
	expect(planned.report.interfaces[0]?.message).toBe(`${report.changes} changes would be made`)
})

test('a repair reports each replaced address and each added route once, with its value', async () => {
	const wish = { ...nic(0), address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }
	const start = await after(fresh, [wish])
	const links = start.links.map(link => ({
		...link,
		addresses: link.addresses.map(one => (one.cidr === '10.0.0.23/24' ? { ...one, label: 'lan0' } : one)),
	}))
	const { report, log } = await runOn({
		start: { ...start, links, routes: start.routes.filter(({ table }) => table !== 254) },
		nics: [wish],
	})
	expect(log).toMatch(
		/^multinic0 .* is multinic0, up +10\.0\.0\.23\/24 and its route in table main replaced, route 10\.0\.0\.0\/24 in table 100, /m,
	)
	expect(report.interfaces[0]?.done?.filter(words => words.includes('10.0.0.23/24'))).toEqual([
		'10.0.0.23/24 and its route in table main replaced',
	])
	expect(log).not.toMatch(/without 10\.0\.0\.23|, routes/)
})

test('a run with an invalid record fails and does not print the record', async () => {
	const record = { content: '{"version": 1, hush', mode: 0o600, gid: 0 }
	const { report, log } = await runOn({ start: { ...fresh, files: { '/var/lib/multinic/record.json': record } } })
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'RunFailed', message: expect.stringMatching(/record\.json\) cannot be read/) })
	expect(log).toMatch(/^failed +.*cannot be read: it is not JSON; nothing was changed. Restore the file, /m)
	expect(log + JSON.stringify(report)).not.toContain('hush')
})

test.each<[title: string, fault: (link: Record<string, unknown>) => void]>([
	[
		'a path that MultiNIC does not manage',
		link => Object.assign(link.files as object, { '/etc/shadow\nExecStart=/bin/x': { before: null, after: 'x' } }),
	],
	['an address with spaces and a line break', link => Object.assign(link, { addresses: ['10.0.0.1/24 dev mgmt\nlink del dev mgmt'] })],
	[
		'a sysctl key that is a path to another setting',
		link => Object.assign(link.original as object, { sysctls: { '../../kernel/panic': '1' } }),
	],
	[
		'an invalid file mode',
		link =>
			Object.assign(link.files as object, { '/etc/netplan/99-multinic0.yaml': { before: { content: '', mode: 1e9, gid: 0 }, after: '' } }),
	],
])('a run with a record that contains %s fails and changes nothing', async (_, fault) => {
	const start = await after(fresh, [nic(0)])
	const record = JSON.parse(start.files['/var/lib/multinic/record.json']?.content ?? '') as { links: Record<string, unknown>[] }
	for (const link of record.links) fault(link)
	const file = { content: JSON.stringify(record), mode: 0o600, gid: 0 }
	const { report } = await runOn({ start: { ...start, files: { ...start.files, '/var/lib/multinic/record.json': file } } })
	expect(report).toMatchObject({ outcome: 'Failed', reason: 'RunFailed', changes: 0 })
	expect(report.message).toMatch(
		/^the record of this host .* cannot be read: it is invalid at links\[0\]\.[^{]*; nothing was changed\. Restore the file/,
	)
})

async function after(start: HostState, nics: ReturnType<typeof nic>[]): Promise<HostState> {
	return (await runOn({ start, nics })).state
}

async function runOn({ start, mode = 'Apply', nics = [nic(0)], unfinished }: Wish) {
	const { host, now } = livingHost(start)
	let log = ''
	const told = createLog('human', line => {
		log += line
	})
	const surrounding = { log: told, kinds: new Set(['hardware']), apiServer: undefined }
	const report = await run(runConfig(nics, { mode }), { ...host, unfinishedTag: () => unfinished }, surrounding)
	logResult(told, report)
	return { report, state: now(), log }
}

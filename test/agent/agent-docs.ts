import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MADE_AT_BOOT } from '../../agent/paths.ts'
import { keepingOf } from '../../agent/persist/backend.ts'
import type { Generated } from '../../agent/plan/files.ts'
import { diffOf } from '../../agent/report/diff.ts'
import { help } from '../../agent/flags.ts'
import type { Host } from '../../agent/host/host.ts'
import type { FileState, HostState, Link } from '../../agent/host/state.ts'
import { createLog } from '../../agent/log.ts'
import { absenceChecks } from '../../agent/plan/absent.ts'
import type { Row } from '../../agent/plan/check.ts'
import { limitChecks } from '../../agent/plan/limit-checks.ts'
import { matchRows } from '../../agent/plan/match.ts'
import { plan } from '../../agent/plan/plan.ts'
import { foreseenRows } from '../../agent/plan/foresee.ts'
import { preflightChecks } from '../../agent/plan/preflight.ts'
import { placeChecks, removalChecks } from '../../agent/plan/select.ts'
import { recipeOf } from '../../agent/plan/recipe.ts'
import { run } from '../../agent/run.ts'
import { tellEnd } from '../../agent/report/tell.ts'
import type { RunConfig } from '../../contract/agent-run.ts'
import { type Interface, Interfaces, settle } from '../../contract/interface.ts'
import { reasons } from '../../contract/reasons.ts'
import { runConfig } from '../../lab/machine-agent.ts'
import { hostWith, livingHost } from './simulated-host.ts'

/**
 * The examples of docs/agent.md, made by the agent's own code from one node config. Each stands in the page between
 * `<!-- made: KEY -->` and `<!-- end -->`; `node test/agent/agent-docs.ts` writes them anew.
 */

export const page = join(import.meta.dirname, '../../docs/agent.md')

const nics: Interface[] = [
	{ id: 0, macAddress: 'fa:16:3e:37:c3:f1', address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450, gateway: '10.0.0.1' },
	{
		id: 1,
		macAddress: 'fa:16:3e:65:04:9e',
		address: '10.0.1.23',
		cidr: '10.0.1.0/24',
		addresses: ['fd00:1::23/64'],
		routes: [{ to: '10.9.0.0/16', via: '10.0.1.7', metric: 50, table: 254 }],
	},
]
const wanted = {
	interfaces: settle(Interfaces.parse(nics)),
	nodeAddresses: ['192.168.0.11'],
	kinds: new Set(['hardware']),
	failed: new Map(),
}
const sysctls = { 'ipv4/rp_filter': '0', 'ipv4/arp_ignore': '0', 'ipv4/arp_announce': '0', 'ipv6/accept_ra': '1' }

type Links = { primary?: Partial<Link>; nics?: Partial<Link> }

/** A node that lives by ens3 and has two new NICs, ens7 and ens8. */
function node(more: Partial<HostState>, { primary = {}, nics: own = {} }: Links = {}): HostState {
	const address = { family: 4 as const, cidr: '192.168.0.11/24', global: true, dynamic: false }
	const route = {
		family: 4 as const,
		to: '0.0.0.0/0',
		via: '192.168.0.1',
		link: 2,
		table: 254,
		metric: 100,
		protocol: 16,
		type: 1,
		scope: 0,
	}
	const fresh = (ifindex: number, name: string, mac: string) => ({ ifindex, name, mac, sysctls, ...own })
	const links = [
		{ ifindex: 2, name: 'ens3', mac: 'fa:16:3e:00:00:03', up: true, addresses: [address], ...primary },
		fresh(3, 'ens7', nics[0]?.macAddress ?? ''),
		fresh(4, 'ens8', nics[1]?.macAddress ?? ''),
	]
	return hostWith(links, { routes: [{ ...route, onlink: false }], ...more })
}

const networkd = node(
	{ systemd: true, udev: true, networkd: true, generator: '/usr/libexec/netplan/generate' },
	{ primary: { managedBy: 'systemd-networkd' } },
)
const held: Links = { primary: { managedBy: 'NetworkManager' }, nics: { managedBy: 'NetworkManager', up: true } }
const manager = { systemd: true, udev: true, networkmanager: true }
const script = { '/etc/sysconfig/network-scripts/ifcfg-ens3': { content: 'DEVICE=ens3\n', mode: 0o644, gid: 0 } }
const hosts: Record<string, HostState> = {
	'netplan-networkd': networkd,
	'netplan-networkmanager': node({ ...manager, generator: '/usr/libexec/netplan/generate' }, held),
	'networkmanager-keyfile': node({ ...manager, netplan: false, keyfiles: true }, held),
	ifcfg: node({ systemd: true, udev: true, netplan: false, files: script }),
	'ifcfg with NetworkManager': node({ ...manager, netplan: false, files: script }, held),
}

/** @returns key → text, as it stands in the page */
export async function made(): Promise<Record<string, string>> {
	const backends = Object.entries(hosts).flatMap(([name, host]) => [
		[`told ${name}`, fenced(commandsOf(host).filter(isNoKernel).join('\n'))] as const,
		[
			`files ${name}`,
			fenced(
				filesOf(host, path => !isShared(path)),
				name.startsWith('netplan') ? 'yaml' : 'ini',
			),
		] as const,
	])
	return {
		config: fenced(JSON.stringify({ interfaces: nics }, null, 2), 'json'),
		commands: fenced(
			commandsOf(networkd)
				.filter(command => !isNoKernel(command))
				.join('\n'),
		),
		'files of every backend': fenced(filesOf(networkd, isShared), 'ini'),
		...Object.fromEntries(backends),
		'log apply': fenced(await logOf(networkd, 'Apply')),
		'log plan': fenced(abridged(await logOf(networkd, 'Plan'))),
		'log verify': fenced(await logOf(drifted(await after(networkd)), 'Verify')),
		'log cleanup': fenced(await logOf(await after(networkd), 'Cleanup')),
		recipe: fenced(recipe(), 'ini'),
		help: fenced(help.trimEnd()),
		refusals: refusalTable([...matchRows, ...absenceChecks, ...limitChecks, ...preflightChecks, ...placeChecks, ...foreseenRows]),
		'refused removals': refusalTable(removalChecks),
		reasons: reasonTable(),
	}
}

function commandsOf(host: HostState): string[] {
	return diffOf(plan(wanted, host, generatedOn(host)).steps, host).commands
}

/** As netplan's generator would: what it writes is its own affair, that it is put in place is ours. */
function generatedOn(host: HostState): Generated {
	const keeping = keepingOf(host)
	return Object.fromEntries(
		wanted.interfaces.flatMap(({ name }) => keeping.generated(name)).map(path => [path, { content: path, mode: 0o600, gid: 0 }]),
	)
}

/** What is for a daemon or the next boot. */
function isNoKernel(command: string): boolean {
	return /^(nmcli|udevadm|write|remove) /.test(command)
}

/** Every backend has these. */
function isShared(path: string): boolean {
	return path.startsWith('/etc/udev/') || path.startsWith('/etc/sysctl.d/')
}

/** Of the second NIC, which has more of everything. */
function filesOf(host: HostState, isMeant: (path: string) => boolean): string {
	const files = diffOf(plan(wanted, host, {}).steps, host).files.filter(({ path }) => path.includes('multinic1') && isMeant(path))
	return files.map(({ path, mode, content = '' }) => `## ${path}, mode ${mode}\n${content.trimEnd()}`).join('\n\n')
}

function abridged(log: string): string {
	const lines = log.split('\n')
	const first = lines.findIndex(line => line.startsWith('would'))
	const last = lines.findLastIndex(line => line.startsWith('would'))
	return [...lines.slice(0, first + 2), '…', ...lines.slice(last - 1)].join('\n')
}

const phases = { observe: 38, probe: 14, arm: 21, apply: 61, verify: 35, prove: 44, commit: 12 }

/** What is said while it runs; times are as on some node. */
async function logOf(start: HostState, mode: RunConfig['mode']): Promise<string> {
	let said = ''
	const log = createLog('human', line => {
		said += line
	})
	const report = await run(runConfig(nics, { mode, generation: 3, nodeAddresses: wanted.nodeAddresses }), lively(start), {
		log,
		kinds: wanted.kinds,
		apiServer: undefined,
	})
	tellEnd(log, { ...report, milliseconds: mode === 'Apply' ? { ...phases, total: 1_900 } : {} })
	return said
		.trimEnd()
		.replace(/(?<!took.*)\b\d+(\.\d+)? ms/g, '12 ms')
		.replace(/\d+\.\d s\b/g, '1.9 s')
		.replace(/\d\d:\d\d:\d\d(?= unless)/g, '12:02:01')
}

function lively(start: HostState): Host {
	const { host } = livingHost(start)
	return {
		...host,
		arm: async wish => ({ ...(await host.arm(wish)), ends: performance.now() + 60_000 }),
		prove: async () => ({ persistent: { status: 'True', message: 'same after reboot' }, warnings: new Map() }),
	}
}

async function after(start: HostState): Promise<HostState> {
	const { host, now } = livingHost(start)
	await host.apply(plan(wanted, start, {}).steps)
	return now()
}

function drifted(state: HostState): HostState {
	const links = state.links.map(link => (link.name === 'multinic0' ? { ...link, mtu: 1500, addresses: [] } : link))
	const { '/etc/sysctl.d/99-multinic1.conf': _, ...files } = state.files as Record<string, FileState>
	return { ...state, links, files }
}

function recipe(): string {
	const { undo } = plan(wanted, networkd, generatedOn(networkd))
	const programs = {
		ip: '/usr/sbin/ip',
		cp: '/usr/bin/cp',
		mv: '/usr/bin/mv',
		rm: '/usr/bin/rm',
		sleep: '/usr/bin/sleep',
		udevadm: '/usr/bin/udevadm',
	}
	const given = {
		undo,
		programs,
		tag: 'g3-1-mwqtm4si-0',
		bootId: '',
		commitTimeoutSeconds: 60,
		onRoot: true,
		madeAtBoot: Object.fromEntries(MADE_AT_BOOT.map(path => [path, undefined])),
	}
	const { live, boot } = recipeOf(given)
	return Object.entries({ ...live, ...boot })
		.map(([path, { content }]) => `## ${path}\n${content.trimEnd()}`)
		.join('\n\n')
}

function refusalTable(rows: readonly Row[]): string {
	const lines = rows.map(({ reason, when, see }) => `| ${when} | \`${reason}\` | \`${see}\` |`)
	return ['| when | Reason | What shows it |', '|---|---|---|', ...lines].join('\n')
}

function reasonTable(): string {
	const rows = Object.entries(reasons).map(
		([reason, { heals, means }]) => `| \`${reason}\` | ${means} | ${heals ? 'may heal by itself' : ''} |`,
	)
	return ['| Reason | Means | |', '|---|---|---|', ...rows].join('\n')
}

function fenced(text: string, language = ''): string {
	return `\`\`\`${language}\n${text}\n\`\`\``
}

/** @returns the page with its examples made anew */
export async function rewritten(text: string): Promise<string> {
	const blocks = await made()
	return text.replace(/(<!-- made: ([^>]+) -->\n)[\s\S]*?(?=<!-- end -->)/g, (_, head: string, key: string) => {
		if (blocks[key] === undefined) throw new Error(`nothing is made for ${key}`)
		return `${head}${blocks[key]}\n`
	})
}

if (import.meta.main) writeFileSync(page, await rewritten(readFileSync(page, 'utf8')))

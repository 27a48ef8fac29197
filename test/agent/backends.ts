import { parse } from 'yaml'
import type { HostState } from '../../agent/model/host-state.ts'
import { hostWith } from './simulated-host.ts'

/**
 * The configuration of one interface in the files of a backend, as parsed by a reader of the tests. Its form is the same for all backends.
 */
export type Said = {
	name: string
	mac?: string
	mtu?: number
	/** Includes the prefix length. */
	addresses: string[]
	/** `TO[ via VIA][ metric N] table N[ onlink]` */
	routes: string[]
	/** `priority N from CIDR [to CIDR] table N` */
	rules: string[]
}
export type Files = Readonly<Record<string, { content: string; mode: number }>>

/** For each backend, a host on which it is detected, and a reader of its files. */
export const backends: Record<string, { host: HostState; read(files: Files, name: string): Said }> = {
	'netplan-networkd': { host: hostWith([]), read: readNetplan },
	'netplan-networkmanager': {
		host: hostWith([], { networkmanager: true, files: { '/etc/netplan/01.yaml': { content: 'network: {}', mode: 0o600, gid: 0 } } }),
		read: readNetplan,
	},
	'networkmanager-keyfile': { host: hostWith([], { netplan: false, keyfiles: true, networkmanager: true }), read: readKeyfile },
	ifcfg: {
		host: hostWith([], { netplan: false, files: { '/etc/sysconfig/network-scripts/ifcfg-eth0': { content: '', mode: 0o644, gid: 0 } } }),
		read: readScripts,
	},
}

function readNetplan(files: Files, name: string): Said {
	const nic = parse(files[`/etc/netplan/99-${name}.yaml`]?.content ?? '').network.ethernets[name]
	const passed = (nic.networkmanager?.passthrough ?? {}) as Record<string, string>
	const through = Object.entries(passed)
	const mtu = nic.mtu ?? passed['ethernet.mtu']
	return {
		name: nic['set-name'] ?? passed['connection.interface-name'],
		mac: nic.match.macaddress,
		...(mtu !== undefined && { mtu: Number(mtu) }),
		addresses: nic.addresses ?? [],
		routes: (nic.routes ?? []).map((route: Record<string, string>) => routeWords({ ...route, onlink: route['on-link'] })),
		rules: nic.networkmanager
			? through.filter(([key]) => key.includes('routing-rule')).map(([, words]) => words)
			: (nic['routing-policy'] ?? []).map(({ from, to, table, priority }: Record<string, string>) => {
					return `priority ${priority} from ${from}/${from?.includes(':') ? 128 : 32}${to ? ` to ${to}` : ''} table ${table}`
				}),
	}
}

function readKeyfile(files: Files, name: string): Said {
	const profile = ini(files[`/etc/NetworkManager/system-connections/${name}.nmconnection`]?.content ?? '')
	const link = ini(files[`/etc/systemd/network/70-${name}.link`]?.content ?? '')
	const both = ['ipv4', 'ipv6'].map(family => Object.entries(profile[family] ?? {}))
	const mtu = profile.ethernet?.mtu
	return {
		name: profile.connection?.['interface-name'] === link.Link?.Name ? (link.Link?.Name ?? '') : 'two names',
		mac: link.Match?.PermanentMACAddress ?? '',
		...(mtu !== undefined && { mtu: Number(mtu) }),
		addresses: both.flatMap(entries => entries.filter(([key]) => /^address\d+$/.test(key)).map(([, value]) => value)),
		routes: both.flatMap(entries =>
			entries
				.filter(([key]) => /^route\d+$/.test(key))
				.map(([key, value]) => {
					const [to, via, metric] = value.split(',')
					const options = Object.fromEntries((Object.fromEntries(entries)[`${key}_options`] ?? '').split(',').map(word => word.split('=')))
					return routeWords({ to, via: /^(0\.0\.0\.0|::)$/.test(via ?? '') ? undefined : via, metric, ...options })
				}),
		),
		rules: both.flatMap(entries => entries.filter(([key]) => key.startsWith('routing-rule')).map(([, value]) => value)),
	}
}

function readScripts(files: Files, name: string): Said {
	const text = (kind: string) => files[`/etc/sysconfig/network-scripts/${kind}-${name}`]?.content ?? ''
	const lines = (kind: string) =>
		text(kind)
			.split('\n')
			.filter(line => line !== '' && !line.startsWith('#'))
	const variables = shell(text('ifcfg'))
	const numbers = ['', ...Array.from({ length: 9 }, (_, at) => String(at + 1))]
	return {
		name: variables.DEVICE ?? '',
		mac: (variables.HWADDR ?? '').toLowerCase(),
		...(variables.MTU !== undefined && { mtu: Number(variables.MTU) }),
		addresses: [
			...numbers.flatMap(n => (variables[`IPADDR${n}`] === undefined ? [] : [`${variables[`IPADDR${n}`]}/${variables[`PREFIX${n}`]}`])),
			...`${variables.IPV6ADDR ?? ''} ${variables.IPV6ADDR_SECONDARIES ?? ''}`.split(' ').filter(Boolean),
		],
		routes: [...lines('route'), ...lines('route6')].map(line => routeWords(words(line.replace(/^(\S+)/, 'to $1')))),
		rules: [
			...Object.entries(variables)
				.filter(([key]) => key.startsWith('ROUTING_RULE'))
				.map(([, value]) => value),
			...[...lines('rule'), ...lines('rule6')].map(line => {
				const { from, to, table, priority } = words(line)
				return `priority ${priority} from ${from}${to ? ` to ${to}` : ''} table ${table}`
			}),
		],
	}
}

/** Parses pairs of key and value, and `onlink`, which has no value. */
function words(line: string): Record<string, string> {
	const found: Record<string, string> = {}
	const all = line.split(' ')
	while (all.length > 0) {
		const key = all.shift() ?? ''
		found[key] = key === 'onlink' ? 'true' : (all.shift() ?? '')
	}
	return found
}

/** Parses shell assignments without expansions; throws on anything else. */
export function shell(text: string): Record<string, string> {
	return Object.fromEntries(
		text
			.split('\n')
			.filter(line => line !== '' && !line.startsWith('#'))
			.map(line => {
				const [, key, quoted, plain] = /^([A-Z0-9_]+)=(?:"([\w .:/]*)"|([\w.:/-]*))$/.exec(line) ?? []
				if (key === undefined) throw new Error(`not a plain assignment: ${line}`)
				return [key, quoted ?? plain ?? '']
			}),
	)
}

function ini(text: string): Record<string, Record<string, string>> {
	const sections: Record<string, Record<string, string>> = {}
	let current: Record<string, string> = {}
	for (const line of text.split('\n')) {
		const section = /^\[(\w+)\]$/.exec(line)?.[1]
		if (section !== undefined) {
			current = {}
			sections[section] = current
		} else if (line.includes('=')) current[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
	}
	return sections
}

/** @param route in the form of any backend, with strings as values */
export function routeWords(route: Record<string, unknown>): string {
	const { to, via, metric, table = 254, onlink } = route
	const plain = String(to).includes(':') ? 1024 : 0
	return [
		String(to),
		via ? `via ${via}` : '',
		metric && Number(metric) !== plain ? `metric ${metric}` : '',
		`table ${table}`,
		onlink ? 'onlink' : '',
	]
		.filter(Boolean)
		.join(' ')
}

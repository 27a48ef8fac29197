import type { WantedInterface } from '../../contract/interface.ts'
import { ipOf } from '../../contract/ip.ts'
import { addressesOf, IPV6_MIN_MTU, routesOf } from '../model/desired-network.ts'
import { rulesOf } from '../model/desired-rules.ts'
import type { FileState } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { netplanPath } from '../model/paths.ts'
import { hasMetric, MAIN, type Route } from '../model/route.ts'
import { privateFile } from './common-files.ts'
import { PREFIX_METRICS, profileRule, profileUuid } from './networkmanager-profile.ts'
import { yaml, type Yaml } from './write-yaml.ts'

/** The daemon that applies netplan's configuration. */
export type Renderer = 'networkd' | 'NetworkManager'

/** The files that netplan reads for one interface at boot: path → file. They describe the state that the run applies. */
export function netplanFiles(nic: WantedInterface, renderer: Renderer): Record<string, FileState> {
	const definition = {
		// The MAC is in lower case, because netplan's udev rule is case-sensitive.
		match: { macaddress: nic.macAddress },
		...(renderer === 'networkd' ? { 'set-name': nic.name } : { renderer, networkmanager: throughToProfile(nic) }),
		mtu: renderer === 'networkd' ? nic.mtu : undefined,
		dhcp4: false,
		dhcp6: false,
		'accept-ra': false,
		'link-local': linkLocal(nic),
		// A missing NIC must not delay the boot.
		optional: true,
		addresses: unlessEmpty(addressesOf(nic)),
		routes: unlessEmpty(routesOf(nic, 0).map(route => routeOf(route, renderer))),
		'routing-policy': unlessEmpty(rulesOf(nic).map(({ from, to, priority, table }) => ({ from: ipOf(from), to, table, priority }))),
	}
	return { [netplanPath(nic.name)]: privateFile(yaml({ network: { version: 2, ethernets: { [nic.name]: definition } } })) }
}

/**
 * Returns the settings that must bypass netplan's own keys to reach NetworkManager. netplan drops `routing-policy` (0.106, measured). From
 * `set-name` and `mtu` it makes a .link file, and if there is one, `netplan apply` stops NetworkManager, restarts networkd and, if
 * networkd is masked, exits before it starts NetworkManager again. MultiNIC's udev rule assigns the name of the NIC.
 */
function throughToProfile(nic: WantedInterface): Yaml {
	const rules = [4, 6].flatMap(family =>
		rulesOf(nic)
			.filter(rule => rule.family === family)
			.map((rule, at) => [`ipv${family}.routing-rule${at + 1}`, profileRule(rule)]),
	)
	const plain = {
		'connection.interface-name': nic.name,
		'connection.autoconnect-priority': '999',
		'ethernet.cloned-mac-address': 'preserve',
	}
	const mtu = nic.mtu === undefined ? {} : { 'ethernet.mtu': String(nic.mtu) }
	const metrics = { 'ipv4.route-metric': String(PREFIX_METRICS[4]), 'ipv6.route-metric': String(PREFIX_METRICS[6]) }
	return { uuid: profileUuid(nic), passthrough: { ...plain, ...mtu, ...withoutIpv4(nic), ...metrics, ...Object.fromEntries(rules) } }
}

/**
 * Without IPv4 addresses netplan sets the method `link-local`, and NetworkManager adds a 169.254 address, its network and a multicast
 * route.
 */
function withoutIpv4(nic: WantedInterface) {
	return addressesOf(nic).some(cidr => familyOf(cidr) === 4) ? {} : { 'ipv4.method': 'disabled' }
}

/**
 * networkd raises an MTU below 1280 if link-local addresses are enabled, because the link may then have IPv6. At such an MTU the kernel
 * adds no link-local address anyway.
 */
function linkLocal({ mtu }: WantedInterface): string[] | undefined {
	return mtu !== undefined && mtu < IPV6_MIN_MTU ? [] : undefined
}

function unlessEmpty<T>(list: readonly T[]): readonly T[] | undefined {
	return list.length === 0 ? undefined : list
}

function routeOf(route: Route, renderer: Renderer) {
	const { to, via, table, metric, onlink } = route
	return {
		to,
		via,
		scope: via === undefined ? 'link' : undefined,
		'on-link': onlink || undefined,
		metric: hasMetric(route) || (renderer === 'NetworkManager' && route.family === 6) ? metric : undefined,
		table: table === MAIN ? undefined : table,
	}
}

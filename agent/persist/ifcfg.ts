import type { WantedInterface } from '../../contract/interface.ts'
import { ipOf } from '../../contract/ip.ts'
import { ruleSelector } from '../ip/format-selector.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import { rulesOf } from '../model/desired-rules.ts'
import type { Family, FileState, HostState } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { scriptPath } from '../model/paths.ts'
import { hasMetric, MAIN, type Route } from '../model/route.ts'
import { publicFile } from './common-files.ts'
import { PREFIX_METRICS, profileRule, profileUuid } from './networkmanager-profile.ts'

/**
 * The files that RHEL 7 and 8 read for one interface at boot: path → file. Rules are in the profile itself if NetworkManager reads it,
 * because NetworkManager ignores the routes of an interface that has a rule file; the older network scripts read rules only from separate
 * files.
 *
 * @see nm-settings-ifcfg-rh(5); initscripts, sysconfig.txt
 */
export function ifcfgFiles(nic: WantedInterface, { networkmanager }: Pick<HostState, 'networkmanager'>): Record<string, FileState> {
	const files = {
		ifcfg: [...profile(nic), ...(networkmanager ? ruleVariables(nic) : [])],
		route: routeLines(nic, 4),
		route6: routeLines(nic, 6),
		...(!networkmanager && { rule: ruleLines(nic, 4), rule6: ruleLines(nic, 6) }),
	}
	return Object.fromEntries(
		Object.entries(files)
			.filter(([, lines]) => lines.length > 0)
			.map(([kind, lines]) => [scriptPath(kind, nic.name), publicFile(lines.map(line => `${line}\n`).join(''))]),
	)
}

/**
 * HWADDR and DEVICE together assign the NIC its name at boot. The file is a shell script: MultiNIC's values need no quotes, but lists do.
 */
function profile(nic: WantedInterface): string[] {
	return [
		'TYPE=Ethernet',
		`NAME=${nic.name}`,
		`UUID=${profileUuid(nic)}`,
		`DEVICE=${nic.name}`,
		`HWADDR=${nic.macAddress.toUpperCase()}`,
		'ONBOOT=yes',
		'AUTOCONNECT_PRIORITY=999',
		'BOOTPROTO=none',
		'DEFROUTE=no',
		`IPV4_ROUTE_METRIC=${PREFIX_METRICS[4]}`,
		`IPV6_ROUTE_METRIC=${PREFIX_METRICS[6]}`,
		'PEERDNS=no',
		// Without it initscripts add a route to 169.254.0.0/16 for each interface, which would redirect packets to the metadata service.
		'NOZEROCONF=yes',
		...(nic.mtu === undefined ? [] : [`MTU=${nic.mtu}`]),
		...addresses4(nic),
		...addresses6(nic),
	]
}

/** The keys of the first address have no number. */
function addresses4(nic: WantedInterface): string[] {
	return ofFamily(nic, 4).flatMap((cidr, at) => {
		const number = at === 0 ? '' : at
		return [`IPADDR${number}=${ipOf(cidr)}`, `PREFIX${number}=${cidr.slice(cidr.indexOf('/') + 1)}`]
	})
}

function addresses6(nic: WantedInterface): string[] {
	const [first, ...more] = ofFamily(nic, 6)
	if (first === undefined) return ['IPV6INIT=no']
	const others = more.length > 0 ? [`IPV6ADDR_SECONDARIES="${more.join(' ')}"`] : []
	return ['IPV6INIT=yes', 'IPV6_AUTOCONF=no', 'IPV6_DEFROUTE=no', `IPV6ADDR=${first}`, ...others]
}

function ruleVariables(nic: WantedInterface): string[] {
	return ([4, 6] as const).flatMap(family =>
		rulesOf(nic)
			.filter(rule => rule.family === family)
			.map((rule, at) => `ROUTING_RULE${family === 6 ? '6' : ''}_${at + 1}="${profileRule(rule)}"`),
	)
}

/** In the syntax of `ip rule add`. */
function ruleLines(nic: WantedInterface, family: Family): string[] {
	const rules = rulesOf(nic).filter(rule => rule.family === family)
	return rules.map(rule => `${ruleSelector(rule)} table ${rule.table} priority ${rule.priority}`)
}

/** In the syntax of `ip route add`, without words that NetworkManager's parser does not know, such as `scope`. */
function routeLines(nic: WantedInterface, family: Family): string[] {
	return routesOf(nic, 0)
		.filter(route => route.family === family)
		.map(route => routeWords(route, nic.name))
}

function routeWords(route: Route, name: string): string {
	const { to, via, table, metric, onlink } = route
	return [
		to,
		via === undefined ? '' : `via ${via}`,
		`dev ${name}`,
		table === MAIN ? '' : `table ${table}`,
		hasMetric(route) || route.family === 6 ? `metric ${metric}` : '',
		onlink ? 'onlink' : '',
	]
		.filter(Boolean)
		.join(' ')
}

function ofFamily(nic: WantedInterface, family: Family): string[] {
	return addressesOf(nic).filter(cidr => familyOf(cidr) === family)
}

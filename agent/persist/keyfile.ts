import type { WantedInterface } from '../../contract/interface.ts'
import { addressesOf, routesOf } from '../model/desired-network.ts'
import { rulesOf } from '../model/desired-rules.ts'
import type { Family, FileState } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import { keyfilePath, linkPath } from '../model/paths.ts'
import { hasMetric, MAIN, type Route } from '../model/route.ts'
import { privateFile, publicFile } from './common-files.ts'
import { PREFIX_METRICS, profileRule, profileUuid } from './networkmanager-profile.ts'

/**
 * The files that NetworkManager and udev read for one interface at boot: path → file.
 *
 * @see nm-settings-keyfile(5), systemd.link(5)
 */
export function keyfileFiles(nic: WantedInterface): Record<string, FileState> {
	return {
		[keyfilePath(nic.name)]: privateFile(keyfile(nic)),
		[linkPath(nic.name)]: publicFile(linkFile(nic)),
	}
}

/** Matches by name, because the NIC already has its desired name when NetworkManager first detects it. */
function keyfile(nic: WantedInterface): string {
	return [
		section('connection', [
			`id=${nic.name}`,
			`uuid=${profileUuid(nic)}`,
			'type=ethernet',
			`interface-name=${nic.name}`,
			// The highest priority: of the profiles that match, NetworkManager uses the one with the highest.
			'autoconnect-priority=999',
		]),
		section('ethernet', ['cloned-mac-address=preserve', ...(nic.mtu === undefined ? [] : [`mtu=${nic.mtu}`])]),
		section('ipv4', ipSection(nic, 4)),
		section('ipv6', ipSection(nic, 6)),
	].join('\n')
}

/**
 * The profile has a default route only if `routes` contains one. Without IPv6 addresses, NetworkManager leaves IPv6 to the kernel, where
 * MultiNIC's sysctls disable router advertisements.
 */
function ipSection(nic: WantedInterface, family: Family): string[] {
	const addresses = addressesOf(nic).filter(cidr => familyOf(cidr) === family)
	if (addresses.length === 0) return [`method=${family === 4 ? 'disabled' : 'ignore'}`]
	const routes = routesOf(nic, 0).filter(route => route.family === family)
	const rules = rulesOf(nic).filter(rule => rule.family === family)
	return [
		'method=manual',
		...addresses.map((cidr, at) => `address${at + 1}=${cidr}`),
		...routes.flatMap((route, at) => routeLines(route, at + 1)),
		...rules.map((rule, at) => `routing-rule${at + 1}=${profileRule(rule)}`),
		`route-metric=${PREFIX_METRICS[family]}`,
		'may-fail=false',
		...(family === 6 ? ['addr-gen-mode=eui64', 'ip6-privacy=0'] : []),
	]
}

function routeLines(route: Route, number: number): string[] {
	const { to, via, table, onlink, metric } = route
	const namesMetric = hasMetric(route) || route.family === 6
	const next = via ?? (namesMetric ? unspecified(route) : undefined)
	const options = [onlink ? 'onlink=true' : '', table === MAIN ? '' : `table=${table}`].filter(Boolean)
	const line = [to, ...(next === undefined ? [] : [next]), ...(namesMetric ? [metric] : [])].join(',')
	return [`route${number}=${line}`, ...(options.length > 0 ? [`route${number}_options=${options.join(',')}`] : [])]
}

/** Returns the placeholder for a missing next hop, which is required if a metric follows. */
function unspecified({ family }: Route): string {
	return family === 4 ? '0.0.0.0' : '::'
}

function linkFile({ macAddress, name, mtu }: WantedInterface): string {
	return [
		section('Match', [`PermanentMACAddress=${macAddress}`]),
		section('Link', [`Name=${name}`, ...(mtu === undefined ? [] : [`MTUBytes=${mtu}`])]),
	].join('\n')
}

function section(name: string, lines: readonly string[]): string {
	return `[${name}]\n${lines.map(line => `${line}\n`).join('')}`
}

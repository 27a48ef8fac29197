import type { BareMachine } from '../../lab/setup/start-machines.ts'

/** The state of a machine that a run may change, without transient state, for comparisons. */
export type MachineState = {
	/** "fa:16:… multinic0 mtu 1400 up 10.0.0.1/24", sorted by MAC. */
	links: string[]
	routes: string[]
	rules: string[]
	/** Path → checksum of the file. */
	files: Record<string, string>
}

type Link = {
	address: string
	ifname: string
	mtu: number
	flags: string[]
	altnames?: string[]
	addr_info: { local?: string; prefixlen: number; scope: string }[]
}
type Route = { dst: string; gateway?: string; dev?: string; table?: string; metric?: number; protocol: string }
type Rule = { priority: number; src: string; srclen?: number; table: string }

/** Directories with the network configuration of the machine, and with files that are generated from it at boot. */
const folders = '/etc /run/systemd/network /run/udev/rules.d /run/NetworkManager/system-connections /run/multinic /var/lib/multinic'
/**
 * Only the existence of the record is compared, because the original state of a NIC in it differs between runs: the time of the
 * observation, the daemon that configured the NIC in that boot, the link-local address from NetworkManager. A removal shows whether it is
 * correct.
 */
const RECORD = '/var/lib/multinic/record.json'
const THERE = 'there'.padEnd(32)
/**
 * Files that daemons write for their own use: NetworkManager for connections that it generated or that other programs configured, netplan
 * for all NICs at every boot.
 */
const passing =
	/^\/etc\/(resolv\.conf|mtab|ld\.so\.cache)$|^\/run\/NetworkManager\/system-connections\/(lo|Wired |multinic\d\.)|^\/run\/udev\/rules\.d\/90-netplan\.rules$/

export async function stateOf(machine: BareMachine): Promise<MachineState> {
	const said = await machine.ask(
		`say() { said=$("$@" 2>/dev/null) && echo "$said" || echo '[]'; } # IPv6 may be missing
		say ip -j addr; say ip -j -4 -N route show table all; say ip -j -6 -N route show table all; say ip -j -4 rule; say ip -j -6 rule
		find ${folders} -type f ! -path ${RECORD} -print0 2>/dev/null | xargs -0 md5sum
		[ ! -f ${RECORD} ] || echo '${THERE}  ${RECORD}'`,
	)
	const [links, routes4, routes6, rules4, rules6, ...sums] = said.split('\n')
	const [routes, rules] = [
		[...parse<Route>(routes4), ...parse<Route>(routes6)],
		[...parse<Rule>(rules4), ...parse<Rule>(rules6)],
	]
	return {
		links: parse<Link>(links).map(linkWords).sort(),
		routes: routes.filter(isSet).map(routeWords).sort(),
		rules: rules.map(({ priority, src, srclen, table }) => `${priority} from ${src}${srclen ? `/${srclen}` : ''} table ${table}`).sort(),
		files: Object.fromEntries(
			sums.map(line => [line.slice(34), line.slice(0, 32)] as const).filter(([path]) => path && !passing.test(path)),
		),
	}
}

function parse<T>(line: string | undefined): T[] {
	return JSON.parse(line || '[]') as T[]
}

function linkWords({ address, ifname, mtu, flags, altnames = [], addr_info }: Link): string {
	const global = addr_info.filter(({ scope }) => scope === 'global').map(({ local, prefixlen }) => `${local}/${prefixlen}`)
	return [address, ifname, ...altnames, `mtu ${mtu}`, flags.includes('UP') ? 'up' : 'down', ...global.sort()].join(' ')
}

/** Excludes the kernel's own routes, for addresses and multicast. */
function isSet({ protocol, dst }: Route): boolean {
	return protocol !== '2' && !dst.startsWith('fe80:')
}

function routeWords({ dst, gateway = '', dev = '', table = '254', metric = 0 }: Route): string {
	return `${dst} ${gateway} ${dev} table ${table} metric ${metric}`
}

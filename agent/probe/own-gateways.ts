import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, ipOf } from '../../contract/ip.ts'
import type { Echo, Packet } from '../host/ping.ts'
import { addressesOf } from '../model/desired-network.ts'
import type { HostState } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import type { Accepted } from '../model/selection.ts'
import type { Warning } from '../model/warning.ts'
import type { ProbedHost } from './probed-host.ts'

/** The results of the interfaces' gateways. Each gateway affects only its own interface. */
export type OwnGateways = { warnings: Map<number, Warning>; words: string[]; notes: string[] }

/** A size that every path carries (bytes). */
const SMALL = 84
/** As long as the kernel probes an address that it does not know (milliseconds). */
const PATIENCE = 3_000

/**
 * Sends the gateways of all interfaces that are up a packet as large as the MTU, concurrently. Probes a silent one again, with a small
 * packet and by ARP or neighbour discovery. A silent gateway may come later, or may not be a gateway: this is a warning, and nothing is
 * rolled back.
 */
export async function askOwnGateways(
	host: ProbedHost,
	accepted: readonly Accepted[],
	{ links }: Pick<HostState, 'links'>,
): Promise<OwnGateways> {
	const gateways = accepted.flatMap(({ nic, link: { ifindex } }) => {
		const { id, name, gateway, mtu } = nic
		const link = links.find(one => one.ifindex === ifindex)
		if (gateway === undefined || !link?.up) return []
		const { carrier, name: device } = link
		return [{ id, name, link: ifindex, device, carrier, ip: canonicalIp(gateway), bytes: mtu ?? link.mtu, ...sourceOf(nic, gateway) }]
	})
	const asked = gateways.filter(({ carrier }) => carrier)
	const first = asked.length > 0 ? await host.echoes(asked) : []
	const silent = asked.filter((_, at) => !isAnswered(first[at]))
	const found = new Map(await askAgain(host, silent))
	const judged = gateways.map(gateway => ({ ...gateway, ...(gateway.carrier ? (found.get(gateway.id) ?? answers) : unplugged(gateway)) }))
	return {
		warnings: new Map(judged.flatMap(({ id, warning }) => (warning ? [[id, warning] as const] : []))),
		words: judged.map(({ name, says }) => `${name} gateway ${says}`),
		notes: [...new Set(first.flatMap(one => ('unasked' in one ? [`the path MTU is not checked: ${one.unasked}`] : [])))],
	}
}

/** Without a connected route the kernel finds a path to an IPv6 gateway only from an address of the interface, by its rule. */
function sourceOf(nic: WantedInterface, gateway: string): Pick<Packet, 'source'> {
	const source = addressesOf(nic).find(cidr => familyOf(cidr) === 6 && familyOf(gateway) === 6 && !cidr.startsWith('fe80:'))
	return source === undefined || nic.connectedRoute ? {} : { source: ipOf(source) }
}

type Gateway = Packet & { id: number; link: number }
type Judged = { says: string; warning?: Warning }

const answers: Judged = { says: 'answers' }

function unplugged({ ip, device }: Gateway): Judged {
	return { says: 'silent', warning: { reason: 'GatewaySilent', message: `the gateway ${ip} cannot be asked: ${device} has no carrier` } }
}

async function askAgain(host: ProbedHost, silent: readonly Gateway[]): Promise<[number, Judged][]> {
	if (silent.length === 0) return []
	const [known, small, large] = await Promise.all([
		host.neighboursAnswer(silent, PATIENCE),
		host.echoes(silent.map(gateway => ({ ...gateway, bytes: SMALL }))),
		host.echoes(silent),
	])
	return silent.map((gateway, at) => [gateway.id, judge(gateway, { known: known[at] === true, small: small[at], large: large[at] })])
}

/** A gateway that answers ARP or neighbour discovery but no packet ignores pings: that says nothing about what the path carries. */
function judge(
	{ ip, bytes }: Gateway,
	{ known, small, large }: { known: boolean; small?: Echo | undefined; large?: Echo | undefined },
): Judged {
	if (isAnswered(large)) return answers
	if (isAnswered(small)) return narrow(ip, bytes, large)
	return known ? answers : { says: 'silent', warning: { reason: 'GatewaySilent', message: `the gateway ${ip} does not answer` } }
}

function narrow(ip: string, bytes: number, large: Echo | undefined): Judged {
	const said = large && 'mtu' in large ? `; the path says ${large.mtu}` : ''
	const message = `packets of ${bytes} bytes, the MTU, do not reach the gateway ${ip}, small ones do${said}`
	return { says: `answers, but not at MTU ${bytes}`, warning: { reason: 'PathMtu', message } }
}

function isAnswered(echo: Echo | undefined): boolean {
	return echo !== undefined && 'answered' in echo && echo.answered
}

import type { WantedInterface } from '../../contract/interface.ts'
import { canonicalIp, ipOf } from '../../contract/ip.ts'
import type { Echo, PingPacket } from '../host/ping.ts'
import { addressesOf } from '../model/desired-network.ts'
import type { HostState } from '../model/host-state.ts'
import { familyOf } from '../model/networks.ts'
import type { Accepted } from '../model/selection.ts'
import type { Warning } from '../model/warning.ts'
import type { ProbedHost } from './probed-host.ts'

/** The results of probing the interfaces' gateways. Each gateway affects only its own interface. */
export type OwnGateways = { warnings: Map<number, Warning>; words: string[]; notes: string[] }

/** Size of a packet that every path can carry (bytes). */
const SMALL_BYTES = 84
/** How long the kernel probes an address that it does not know (milliseconds). */
const TIMEOUT_MS = 3_000

/**
 * Sends a packet as large as the MTU to the gateways of all interfaces that are up, concurrently. Probes a silent gateway again, with a
 * small packet and by ARP or neighbour discovery. A silent gateway may start to answer later, or the address may not be a gateway, so this
 * is only a warning and nothing is rolled back.
 */
export async function probeOwnGateways(
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
	const probed = gateways.filter(({ carrier }) => carrier)
	const first = probed.length > 0 ? await host.echoes(probed) : []
	const silent = probed.filter((_, at) => !isAnswered(first[at]))
	const found = new Map(await probeAgain(host, silent))
	const judged = gateways.map(gateway => ({ ...gateway, ...(gateway.carrier ? (found.get(gateway.id) ?? answers) : unplugged(gateway)) }))
	return {
		warnings: new Map(judged.flatMap(({ id, warning }) => (warning ? [[id, warning] as const] : []))),
		words: judged.map(({ name, says }) => `${name} gateway ${says}`),
		notes: [...new Set(first.flatMap(one => ('notSent' in one ? [`the path MTU is not checked: ${one.notSent}`] : [])))],
	}
}

/** Without a connected route, the kernel finds a path to an IPv6 gateway only for packets from an address of the interface, by its rule. */
function sourceOf(nic: WantedInterface, gateway: string): Pick<PingPacket, 'source'> {
	const source = addressesOf(nic).find(cidr => familyOf(cidr) === 6 && familyOf(gateway) === 6 && !cidr.startsWith('fe80:'))
	return source === undefined || nic.connectedRoute ? {} : { source: ipOf(source) }
}

type Gateway = PingPacket & { id: number; link: number }
type GatewayResult = { says: string; warning?: Warning }

const answers: GatewayResult = { says: 'answers' }

function unplugged({ ip, device }: Gateway): GatewayResult {
	return { says: 'silent', warning: { reason: 'GatewaySilent', message: `the gateway ${ip} cannot be probed: ${device} has no carrier` } }
}

async function probeAgain(host: ProbedHost, silent: readonly Gateway[]): Promise<[number, GatewayResult][]> {
	if (silent.length === 0) return []
	const [known, small, large] = await Promise.all([
		host.neighboursAnswer(silent, TIMEOUT_MS),
		host.echoes(silent.map(gateway => ({ ...gateway, bytes: SMALL_BYTES }))),
		host.echoes(silent),
	])
	return silent.map((gateway, at) => [gateway.id, judgeGateway(gateway, { known: known[at] === true, small: small[at], large: large[at] })])
}

/** A gateway that answers ARP or neighbour discovery but no echo request ignores pings, so nothing is known about the path MTU. */
function judgeGateway(
	{ ip, bytes }: Gateway,
	{ known, small, large }: { known: boolean; small?: Echo | undefined; large?: Echo | undefined },
): GatewayResult {
	if (isAnswered(large)) return answers
	if (isAnswered(small)) return narrow(ip, bytes, large)
	return known ? answers : { says: 'silent', warning: { reason: 'GatewaySilent', message: `the gateway ${ip} does not answer` } }
}

function narrow(ip: string, bytes: number, large: Echo | undefined): GatewayResult {
	const said = large && 'mtu' in large ? `; the path reports ${large.mtu}` : ''
	const message = `packets of ${bytes} bytes (the MTU) do not reach the gateway ${ip}, small packets do${said}`
	return { says: `answers, but not at MTU ${bytes}`, warning: { reason: 'PathMtu', message } }
}

function isAnswered(echo: Echo | undefined): boolean {
	return echo !== undefined && 'answered' in echo && echo.answered
}

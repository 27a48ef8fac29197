import { canonicalIp } from '../contract/ip.ts'
import type { Reason } from '../contract/reasons.ts'
import type { Host } from './host/host.ts'
import type { Accepted } from './select.ts'

/** What is said of an interface that is configured all the same. */
export type Warning = { reason: Reason; message: string }

/** As long as the kernel asks an address it does not know (milliseconds). */
const PATIENCE = 3_000

/** The gateways of the interfaces, each of which judges only its own interface. */
export type OwnGateways = { warnings: Map<number, Warning>; words: string[] }

/** Asks the gateways of all interfaces at once. A silent one may come later, or be no gateway at all: a warning, and nothing is undone. */
export async function askOwnGateways(host: Host, accepted: readonly Accepted[]): Promise<OwnGateways> {
	const asked = accepted.flatMap(({ nic: { id, name, gateway }, link }) =>
		gateway === undefined ? [] : [{ id, name, ip: canonicalIp(gateway), link: link.ifindex }],
	)
	const answers = asked.length === 0 ? [] : await host.neighboursAnswer(asked, PATIENCE)
	const silent = asked.filter((_, at) => answers[at] !== true)
	return {
		warnings: new Map(silent.map(({ id, ip }) => [id, { reason: 'GatewaySilent', message: `the gateway ${ip} does not answer` }])),
		words: asked.map(({ name }, at) => `${name} gateway ${answers[at] === true ? 'answers' : 'silent'}`),
	}
}

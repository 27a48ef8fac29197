import { failure } from '../../../agent/model/failure.ts'
import type { HostState, Link } from '../../../agent/model/host-state.ts'
import type { Route } from '../../../agent/model/route.ts'
import { createLog } from '../../../agent/report/log.ts'
import type { Host } from '../../../agent/run/host.ts'
import { run } from '../../../agent/run/run.ts'
import type { AgentReport, RunConfig } from '../../../contract/agent-run.ts'
import type { Interface } from '../../../contract/interface.ts'
import { runConfig } from '../../../lab/setup/machine-agent.ts'
import { hostWith } from '../simulated-host.ts'
import { type Happening, type Meddle, type Pretended, pretendedHost } from './pretended-host.ts'

export const mac = (id: number) => `fa:16:3e:00:00:0${id}`
export const nic = (id: number, more: Partial<Interface> = {}): Partial<Interface> => ({
	id,
	macAddress: mac(id),
	address: `10.0.${id}.23`,
	cidr: `10.0.${id}.0/24`,
	gateway: `10.0.${id}.1`,
	...more,
})

/** The gateway of the node, over the link that no run changes. */
export const GATEWAY = '192.168.9.1'

export function route(more: Partial<Route>): Route {
	return { family: 4, to: '0.0.0.0/0', link: 2, table: 254, metric: 0, protocol: 3, type: 1, scope: 0, onlink: false, ...more }
}

const own = { family: 4 as const, cidr: '192.168.9.2/24', global: true, dynamic: false }

/** A node with its own link and three NICs. */
export const node = hostWith(
	[
		{ ifindex: 2, name: 'eth0', mac: '02:00:00:00:00:01', up: true, addresses: [own] },
		...[0, 1, 2].map(id => ({ ifindex: id + 5, name: `ens${id}`, mac: mac(id) })),
	],
	{ routes: [route({ via: GATEWAY })] },
)

export const withRoutes = (host: HostState, ...routes: Route[]): HostState => ({ ...host, routes: [...host.routes, ...routes] })
export const withLink = (host: HostState, ifindex: number, more: Partial<Link>): HostState => ({
	...host,
	links: host.links.map(link => (link.ifindex === ifindex ? { ...link, ...more } : link)),
})

/** A line of the log, with the number of operations before it, and the state of the host. */
export type Said = { head: string; words: string; operations: number; host: HostState }

export type Ran = {
	pretended: Pretended
	happened: readonly Happening[]
	said: readonly Said[]
	/** Absent if the run ended with `bug`. */
	report?: AgentReport
	bug?: unknown
}

type Order = {
	start?: HostState
	wish?: readonly Partial<Interface>[]
	config?: Partial<RunConfig>
	meddle?: Meddle
	/** Replaces operations of the host. */
	own?: Partial<Host>
	apiServer?: { host: string; port: number }
}

/** Executes a run, by default for three NICs on a node. */
export async function ranOn({ start = node, wish = [0, 1, 2].map(id => nic(id)), config = {}, ...order }: Order): Promise<Ran> {
	const { meddle, own, apiServer } = order
	const pretended = pretendedHost(start, meddle)
	const said: Said[] = []
	const log = createLog('human', () => {})
	const step: typeof log.step = (head, words, facts) => {
		said.push({ head, words, operations: pretended.happened.length, host: pretended.now() })
		log.step(head, words, facts)
	}
	const context = { log: { ...log, step }, kinds: new Set(['hardware']), apiServer }
	const known = { pretended, happened: pretended.happened, said }
	try {
		return { ...known, report: await run(runConfig(wish, config), { ...pretended.host, ...own }, context) }
	} catch (bug) {
		return { ...known, bug }
	}
}

/** @returns the operations of a run of these kinds, in order */
export function orderOf({ happened }: Ran, ...kinds: readonly string[]): string[] {
	return happened.flatMap(({ what }) => (kinds.includes(what) ? [what] : []))
}

/** @returns the texts of the log lines with this head */
export function wordsOf({ said }: Ran, head: string): string[] {
	return said.flatMap(line => (line.head === head ? [line.words] : []))
}

/** @returns the heads of the lines of the log, in order */
export function headsOf({ said }: Ran): string[] {
	return said.map(({ head }) => head)
}

/** @returns how long a run took (milliseconds) */
export function tookMs({ report }: Ran): number | undefined {
	return report?.milliseconds.total
}

export const fails = (words = 'broken on purpose') => failure('COMMAND_FAILED', words)

import { setTimeout as sleep } from 'node:timers/promises'
import type { Probe } from '../../contract/agent-run.ts'
import { contains, parseCidr, parseIp } from '../../contract/ip.ts'
import { nameserverAnswers, tcpAnswers } from '../host/reachability.ts'
import { bestDefaults } from '../model/default-routes.ts'
import type { HostState } from '../model/host-state.ts'
import { gatewaysOf, MAIN } from '../model/route.ts'
import type { Log } from '../model/run-log.ts'
import type { ProbedHost } from './probed-host.ts'

/** probe/: what must still work after a change: paths of the node, gateways, addresses, routes. */

export type NodePath = {
	name: string
	/** Its addresses, and those that it is behind. */
	hops: readonly string[]
	/** How long it may take to answer before the change (milliseconds). */
	timeoutMs: number
	answers(withinMs: number): Promise<boolean>
}

/**
 * How long a path may take to answer before the change, and one that worked then to answer again after it (milliseconds). A list of
 * nameservers is rarely maintained: silent ones are common, and must not cost every run as much as a missing gateway may.
 */
export const TIMEOUTS = { before: 3_000, nameservers: 1_000, after: 5_000 }

/** The node's own paths: the API server, the gateways of its default routes, its nameservers. */
export function nodePaths(host: ProbedHost, state: HostState, apiServer: { host: string; port: number } | undefined): NodePath[] {
	const api: NodePath[] = apiServer
		? [{ ...pathTo('api', [apiServer.host], state), answers: () => tcpAnswers(apiServer.host, apiServer.port) }]
		: []
	const gateways = ([4, 6] as const).flatMap((family): NodePath[] => {
		const name = family === 4 ? 'gateway' : 'gateway6'
		return bestDefaults(state.routes, family)
			.flatMap(gatewaysOf)
			.map(({ ip, link }, at) => {
				const answers = async (withinMs: number) => (await host.neighboursAnswer([{ ip, link }], withinMs))[0] === true
				return { ...pathTo(at === 0 ? name : `${name} ${ip}${ip.startsWith('fe80:') ? `%${link}` : ''}`, [ip], state), answers }
			})
	})
	const servers = host.nameservers()
	const dns = { ...pathTo('dns', servers, state), timeoutMs: TIMEOUTS.nameservers, answers: (ms: number) => nameserverAnswers(servers, ms) }
	return [...api, ...gateways, ...(servers.length > 0 ? [dns] : [])]
}

/** Returns the addresses, and the next hop of the main table for each; an API server given by name is not resolved. */
function pathTo(name: string, addresses: readonly string[], { routes }: HostState): Omit<NodePath, 'answers'> {
	const ips = addresses.filter(address => parseIp(address))
	const nextHops = ips.flatMap(ip => {
		const ways = routes.filter(({ table, type, to }) => table === MAIN && type === 1 && contains(to, ip))
		const length = (to: string) => parseCidr(to)?.length ?? 0
		return ways.toSorted((a, b) => length(b.to) - length(a.to) || a.metric - b.metric)[0]?.via ?? []
	})
	return { name, hops: [...new Set([...ips, ...nextHops])], timeoutMs: TIMEOUTS.before }
}

/**
 * Probes every target until it answers, because a path may need a moment after a change.
 *
 * @param timeoutMs milliseconds; by default each target's own
 * @returns one probe per target; a silent one is not ok
 */
export function probePaths(targets: readonly NodePath[], timeoutMs?: number): Promise<Probe[]> {
	return Promise.all(targets.map(target => probeOne(target, timeoutMs ?? target.timeoutMs)))
}

/** @returns the targets that answered before and no longer do */
export function lostPaths(before: readonly Probe[], after: readonly Probe[]): string[] {
	const silent = new Set(after.filter(({ ok }) => !ok).map(({ name }) => name))
	return before.filter(({ name, ok }) => ok && silent.has(name)).map(({ name }) => name)
}

/** Does not wait after the change for a target that was silent before. */
export function answering(targets: readonly NodePath[], before: readonly Probe[]): NodePath[] {
	return targets.filter(({ name }) => before.some(probe => probe.name === name && probe.ok))
}

/** @param more other results; nothing is logged if nothing was probed */
export function logProbes(log: Log, what: string, probes: readonly Probe[], more: readonly string[] = []): void {
	const words = [...probes.map(({ name, ok, milliseconds }) => `${name} ${ok ? `${milliseconds} ms` : 'silent'}`), ...more]
	if (words.length > 0) log.step(what, words.join(', '))
}

async function probeOne({ name, answers }: NodePath, timeoutMs: number): Promise<Probe> {
	const started = performance.now()
	for (;;) {
		const sent = performance.now()
		if (await answers(Math.max(0, started + timeoutMs - sent))) return { name, ok: true, milliseconds: round(performance.now() - sent) }
		if (performance.now() - started >= timeoutMs)
			return { name, ok: false, milliseconds: round(performance.now() - started), message: 'no answer' }
		await sleep(200)
	}
}

function round(milliseconds: number): number {
	return Math.round(milliseconds * 10) / 10
}

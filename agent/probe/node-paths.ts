import { setTimeout as sleep } from 'node:timers/promises'
import type { Probe } from '../../contract/agent-run.ts'
import { contains, parseCidr, parseIp } from '../../contract/ip.ts'
import { nameserverAnswers, tcpAnswers } from '../host/reachability.ts'
import { bestDefaults } from '../model/default-routes.ts'
import type { HostState } from '../model/host-state.ts'
import { gatewaysOf, MAIN } from '../model/route.ts'
import type { Log } from '../model/run-log.ts'
import type { ProbedHost } from './probed-host.ts'

/** probe/: what must still work after a change: the node's paths, gateways, addresses and routes. */

export type NodePath = {
	name: string
	/** The addresses at its end, and the next hops on the path to them. */
	hops: readonly string[]
	/** How long the path may take to answer before the change (milliseconds). */
	timeoutMs: number
	answers(withinMs: number): Promise<boolean>
}

/**
 * How long a path may take to answer before the change, and how long a path that worked before may take to answer after it (milliseconds).
 * Lists of nameservers are rarely maintained, so silent ones are common and must not delay every run as long as a missing gateway may.
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

/** Returns the addresses, and the next hop in the main table for each. Does not resolve an API server that is given by name. */
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
 * Probes every path until it answers, because a path may need a moment after a change.
 *
 * @param timeoutMs milliseconds; by default the timeout of each path
 * @returns one probe per path; a path that does not answer is not ok
 */
export function probePaths(targets: readonly NodePath[], timeoutMs?: number): Promise<Probe[]> {
	return Promise.all(targets.map(target => probeOne(target, timeoutMs ?? target.timeoutMs)))
}

/** @returns the names of the paths that answered before and no longer answer */
export function lostPaths(before: readonly Probe[], after: readonly Probe[]): string[] {
	const silent = new Set(after.filter(({ ok }) => !ok).map(({ name }) => name))
	return before.filter(({ name, ok }) => ok && silent.has(name)).map(({ name }) => name)
}

/** Returns the paths that answered before; the run does not wait for any others after the change. */
export function answering(targets: readonly NodePath[], before: readonly Probe[]): NodePath[] {
	return targets.filter(({ name }) => before.some(probe => probe.name === name && probe.ok))
}

/** @param more results of other checks; if there are no results at all, nothing is logged */
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

import { lineOf, parseAnswers } from '../../agent/host/route-lookup.ts'
import { parseNetwork } from '../../agent/ip/parse-network.ts'
import { parseRules } from '../../agent/ip/parse-rules.ts'
import type { HostState } from '../../agent/model/host-state.ts'
import type { LookupAnswer } from '../../agent/plan/lookup-losses.ts'
import type { Lookup } from '../../agent/plan/node-packets.ts'
import type { NodeHost } from './node-host.ts'

/** The kernel's links, routes and rules on a host, as read by the agent. */
export async function observedRouting(host: NodeHost): Promise<Pick<HostState, 'links' | 'routes' | 'rules'>> {
	const json = async (args: string) =>
		JSON.parse((await host.inside('ip', ['-N', '-j', '-d', ...args.split(' ')])).stdout || '[]') as unknown
	const [addresses, routes, rules, rules6] = await Promise.all([
		json('addr show'),
		json('route show table all'),
		json('rule show'),
		json('-6 rule show'),
	])
	return { ...parseNetwork({ addresses, routes, neighbours: [] }), rules: [...parseRules(rules, 4), ...parseRules(rules6, 6)] }
}

/** The kernel's answers to route lookups on a host. */
export async function kernelWays(host: NodeHost, lookups: readonly Lookup[]): Promise<LookupAnswer[]> {
	const names = (await host.ask('link show')).map(({ ifname, ifindex }) => ({ name: String(ifname), ifindex: Number(ifindex) }))
	const script = `ip -N -j -force -batch - <<'.'\n${lookups.map(lineOf).join('\n')}\n.`
	return parseAnswers(lookups, await host.inside('sh', ['-c', script]), names)
}

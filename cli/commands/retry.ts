import { Option } from 'commander'
import { isKubeFailure } from '../../runtime/kube/failures.ts'
import { failure } from '../failures.ts'
import type { Fleet } from '../fleet.ts'
import { NodeConfig } from '../kinds.ts'
import { nextFor } from '../next.ts'
import { readChosen } from '../read.ts'
import { sentenceOf } from '../render/failure.ts'
import { stateWords } from '../render/state.ts'
import type { CommandSpec, Session } from '../session.ts'
import { ASKS } from '../../contract/names.ts'
import { stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../view.ts'
import { exitCodes } from '../world.ts'
import { eachOf } from '../each.ts'
import { warnIfLeaderless } from './surroundings.ts'

export const retry: CommandSpec<{ failed?: boolean }> = {
	name: 'retry',
	nodes: 'any',
	about: 'Run the agent on these nodes now, regardless of the last result',
	options: [new Option('--failed', 'all nodes that failed')],
	more: 'Repeating it before the run starts has no effect.',
	async act(session, nodes, { failed = false }) {
		if (failed === nodes.length > 0) throw failure('USAGE', 'name at least one node, or use --failed for all nodes that failed')
		const { configs, fleet } = await readChosen(session, nodes)
		const meant = failed ? configs.filter(config => stateOf(config) === 'Failed') : configs
		if (meant.length === 0) session.print(['no failed nodes, nothing to do'])
		const outcomes = eachOf(meant, async config => ask(session, config, fleet))
		const done = await session.progress(`requesting ${meant.length} runs`, outcomes)
		if (done.some(Boolean)) await warnIfLeaderless(session)
		return done.every(Boolean) ? exitCodes.fine : exitCodes.notAsWanted
	},
}

/** @returns whether the run could be requested */
async function ask({ cluster, signal, world, print, warn }: Session, config: ConfigView, fleet: Fleet): Promise<boolean> {
	const { name, asked } = config
	const { client, namespace } = cluster
	const was = `was ${stateWords(config)}`
	const value = asked.retry ?? world.fresh()
	try {
		if (asked.retry === undefined)
			await client.patch(NodeConfig, { namespace, name }, { metadata: { annotations: { [ASKS.retry]: value } } }, { signal })
	} catch (error) {
		if (!isKubeFailure(error)) throw error
		warn(`error: ${name}: ${sentenceOf(error)}`)
		return false
	}
	const next = nextFor({ ...config, asked: { ...asked, retry: value } }, fleet)
	print([asked.retry === undefined ? `${name}: ${was}. ${next}` : `${name}: ${was}; a run was already requested. ${next}`])
	return true
}

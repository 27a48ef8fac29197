import { Option } from 'commander'
import { isKubeFailure } from '../../runtime/kube/index.ts'
import { failure } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import { NodeConfig } from '../model/kinds.ts'
import { nextStep } from '../render/next-step.ts'
import { readChosen } from '../read/fleet.ts'
import { sentenceOf } from '../render/failure.ts'
import { stateWords } from '../render/state.ts'
import type { CommandSpec, Session } from '../read/session.ts'
import { ASKS } from '../../contract/names.ts'
import { stateOf } from '../../contract/status.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { exitCodes } from '../model/io.ts'
import { mapConcurrently } from '../model/concurrent.ts'
import { warnIfLeaderless } from './diagnostics.ts'

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
		const outcomes = mapConcurrently(meant, async config => requestRetry(session, config, fleet))
		const done = await session.progress(`requesting ${meant.length} runs`, outcomes)
		if (done.some(Boolean)) await warnIfLeaderless(session)
		return done.every(Boolean) ? exitCodes.ok : exitCodes.notAsWanted
	},
}

/** @returns whether the run could be requested */
async function requestRetry({ cluster, signal, io, print, warn }: Session, config: ConfigView, fleet: Fleet): Promise<boolean> {
	const { name, asked } = config
	const { client, namespace } = cluster
	const was = `was ${stateWords(config)}`
	const value = asked.retry ?? io.fresh()
	try {
		if (asked.retry === undefined)
			await client.patch(NodeConfig, { namespace, name }, { metadata: { annotations: { [ASKS.retry]: value } } }, { signal })
	} catch (error) {
		if (!isKubeFailure(error)) throw error
		warn(`error: ${name}: ${sentenceOf(error)}`)
		return false
	}
	const next = nextStep({ ...config, asked: { ...asked, retry: value } }, fleet)
	print([asked.retry === undefined ? `${name}: ${was}. ${next}` : `${name}: ${was}; a run was already requested. ${next}`])
	return true
}

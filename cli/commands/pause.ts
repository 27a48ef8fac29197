import { ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE } from '../../contract/rollout.ts'
import { ConfigMap, isKubeFailure } from '../../runtime/kube/index.ts'
import type { Fleet } from '../model/fleet.ts'
import { NodeConfig } from '../model/kinds.ts'
import { failure } from '../model/failures.ts'
import { readElsewhere } from '../read/namespace.ts'
import { readChosen } from '../read/fleet.ts'
import { noFleetWords } from '../render/missing.ts'
import { fleetPaused, fleetResumed, nodePaused, nodeResumed } from '../render/paused.ts'
import type { CommandSpec, Session } from '../read/session.ts'
import type { ConfigView } from '../model/node-config-view.ts'
import { exitCodes } from '../model/io.ts'
import { mapConcurrently } from '../model/concurrent.ts'
import { unlessForbidden } from '../read/unless-forbidden.ts'
import { warnIfLeaderless } from './diagnostics.ts'

export const pause: CommandSpec<object> = {
	name: 'pause',
	nodes: 'any',
	about: 'Pause these nodes, or the rollout if no node is named',
	options: [],
	more: 'A run in progress finishes. Read-only runs (diff, plan) still start while the rollout is paused.',
	act: (session, nodes) => setPaused(session, nodes, true),
}

export const resume: CommandSpec<object> = {
	name: 'resume',
	nodes: 'any',
	about: 'Resume these nodes, or the rollout if no node is named',
	options: [],
	more: 'The rollout continues where it stopped. Nodes that were paused individually stay paused.',
	act: (session, nodes) => setPaused(session, nodes, false),
}

async function setPaused(session: Session, nodes: readonly string[], paused: boolean): Promise<number> {
	const { configs, fleet } = await readChosen(session, nodes)
	if (configs.length === 0) await mustBeInstalled(session)
	if (nodes.length === 0) await session.progress(`writing ConfigMap ${ROLLOUT_PAUSE}`, setFleet(session, fleet, paused))
	else await session.progress(`writing ${nodes.length} node configs`, setNodes(session, { configs, fleet }, paused))
	if (configs.length > 0) await warnIfLeaderless(session)
	return exitCodes.ok
}

/**
 * Without this check, a pause that no controller reads would be reported as effective.
 *
 * @throws Failure NO_FLEET if the chart is not installed; if the user may not read the ConfigMap, the chart is assumed to be installed
 */
async function mustBeInstalled(session: Session): Promise<void> {
	const { client, namespace } = session.cluster
	const at = { namespace, name: ROLLOUT_CONFIG_MAP }
	const settings = await unlessForbidden(client.find(ConfigMap, at, { signal: session.signal }))
	if (settings && !settings.found) throw failure('NO_FLEET', noFleetWords(namespace, await readElsewhere(session)))
}

async function setNodes(session: Session, { configs, fleet }: { configs: ConfigView[]; fleet: Fleet }, paused: boolean): Promise<void> {
	const { cluster, signal, print } = session
	const { client, namespace } = cluster
	await mapConcurrently(configs, async config => {
		const at = { namespace, name: config.name }
		// removing the field means not paused, and leaves the spec as its author wrote it
		if (config.paused !== paused) await client.patch(NodeConfig, at, { spec: { paused: paused || null } }, { signal })
		print([paused ? nodePaused(config) : nodeResumed(config, fleet)])
	})
}

async function setFleet({ cluster, signal, print, warn }: Session, fleet: Fleet, paused: boolean): Promise<void> {
	const { client, namespace } = cluster
	const at = { namespace, name: ROLLOUT_PAUSE }
	const data = { paused: String(paused) }
	if (fleet.fault !== '') warn(`warning: ConfigMap ${ROLLOUT_CONFIG_MAP} cannot be used: ${fleet.fault}`)
	if (fleet.pausedBy.person !== paused) {
		const missing = await client.patch(ConfigMap, at, { data }, { signal }).then(
			() => false,
			error => whenMissing(error),
		)
		if (missing) await client.create(ConfigMap, { metadata: at, data }, { signal })
	}
	print([paused ? fleetPaused(fleet) : fleetResumed(fleet, namespace)])
}

/** @throws the error, unless it is NOT_FOUND, which is normal before the first pause */
function whenMissing(error: unknown): true {
	if (isKubeFailure(error, 'NOT_FOUND')) return true
	throw error
}

import { Failure } from '../../runtime/errors.ts'
import { isKubeFailure } from '../../runtime/kube/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Entry } from '../model/entry.ts'
import type { ViolaCode } from '../model/failures.ts'
import type { Wanted } from '../model/wanted.ts'
import { type Decision, decide } from './decide.ts'

/** The result for a node. `before` is undefined if its node config was created. */
export type Applied =
	| { status: 'created' | 'updated'; act: Decision['act']; before: Entry | undefined; after: Entry }
	| { status: 'unchanged'; generation: number }

export type UpsertHow = { dryRun: boolean; signal: AbortSignal }

/** How often viola reads and decides again because another client has changed the node config. */
const CONFLICTS_MAX = 3

/**
 * Brings a node config to the state that a POST requests. A node config that needs no change costs no request.
 *
 * Every write is bound to the version on which the decision was based, so it never overwrites a change that viola has not read. Requests for
 * one node run in sequence, because concurrent ones would conflict.
 *
 * @throws Failure TERMINATING, CONFLICT, DEADLINE, CLUSTER_UNREACHABLE, or with the code of the API server
 */
export function upsert(cluster: Cluster, wanted: Wanted, how: UpsertHow): Promise<Applied> {
	return cluster.inTurn(wanted.nodeName, () => decideAndAct(cluster, wanted, how))
}

async function decideAndAct(cluster: Cluster, wanted: Wanted, how: UpsertHow): Promise<Applied> {
	const { nodeName } = wanted
	let entry = cluster.isCurrent() ? cluster.entries.get(nodeName) : await cluster.read(nodeName, how.signal)
	for (let conflicts = 0; ; conflicts++) {
		if (how.signal.aborted) throw new Failure<ViolaCode>('DEADLINE', 'the request timed out before this node was processed')
		const decision = decide(entry, wanted)
		try {
			return await act(cluster, wanted, { ...how, decision, entry })
		} catch (error) {
			if (!isOvertaken(error, decision)) throw error
			if (conflicts === CONFLICTS_MAX) throw conflict(nodeName, error)
			entry = await cluster.read(nodeName, how.signal)
		}
	}
}

type ActHow = UpsertHow & { decision: Decision; entry: Entry | undefined }

async function act(cluster: Cluster, { nodeName, object }: Wanted, { decision, entry, ...how }: ActHow): Promise<Applied> {
	switch (decision.act) {
		case 'create':
			return { status: 'created', act: 'create', before: undefined, after: await cluster.create(object, how) }
		case 'patch':
		case 'patchOwner':
			return { status: 'updated', act: decision.act, before: entry, after: await cluster.patch(nodeName, decision.change, how) }
		case 'unchanged':
			return { status: 'unchanged', generation: decision.generation }
		case 'terminating':
			throw new Failure<ViolaCode>(
				'TERMINATING',
				`the node config of ${nodeName} is being deleted and its NICs are being removed; send it again after the deletion`,
			)
	}
}

/**
 * Returns whether the decision was based on a version that is no longer the latest one. A write on a kept-alive connection that had been
 * closed may or may not have been applied, and reading again shows which.
 */
function isOvertaken(error: unknown, { act }: Decision): error is Failure {
	if (isKubeFailure(error, 'CONFLICT', 'ALREADY_EXISTS')) return true
	if (isKubeFailure(error, 'NOT_FOUND')) return act !== 'create'
	return isKubeFailure(error, 'UNREACHABLE') && error.facts.stale === true
}

function conflict(nodeName: string, cause: Failure): Failure<ViolaCode> {
	const message = `other clients keep changing the node config of ${nodeName}; ${CONFLICTS_MAX} retries failed, send it again`
	return new Failure('CONFLICT', message, { retry: true, cause })
}

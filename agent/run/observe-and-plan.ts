import { badRecord } from '../model/bad-record.ts'
import { failure } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import { recordOf } from '../model/record.ts'
import { backendOf } from '../persist/backend.ts'
import { type Plan, planOf } from '../plan/plan.ts'
import { select } from '../plan/select.ts'
import type { AttemptInput } from './attempt-input.ts'

/**
 * Observes the host.
 *
 * @throws Failure UNKNOWN_BACKEND or BAD_RECORD if the host's backend is unknown or its record is invalid, so that no plan is possible
 */
export async function observeHost({ host, wanted, timed, renameDown }: AttemptInput): Promise<HostState> {
	const observed = await timed('observe', () => host.observe(wanted.interfaces.map(({ macAddress }) => macAddress)))
	const backend = backendOf(observed)
	if ('unknown' in backend) throw failure('UNKNOWN_BACKEND', backend.unknown)
	try {
		recordOf(observed)
	} catch (error) {
		throw badRecord(error)
	}
	return renameDown ? { ...observed, liveRename: false } : observed
}

/** @returns the changes that this attempt would make to a host in this state, excluding those that netplan would reject at the next boot */
export async function makePlan({ wanted, host, timed }: AttemptInput, state: HostState): Promise<Plan> {
	const first = select(wanted, state)
	const { failed, kept } = await timed('generate', () => host.predictRejections(first, state))
	const possible = {
		...wanted,
		failed: new Map([...wanted.failed, ...failed]),
		kept: new Map([...wanted.kept, ...kept]),
	}
	const selection = failed.size + kept.size === 0 ? first : select(possible, state)
	const generated = await timed('generate', () => host.generate(selection, state))
	return planOf(selection, state, generated)
}

import { badRecord } from '../model/bad-record.ts'
import { failure } from '../model/failure.ts'
import type { HostState } from '../model/host-state.ts'
import { recordOf } from '../model/record.ts'
import { backendOf } from '../persist/backend.ts'
import { type Plan, planOf } from '../plan/plan.ts'
import { select } from '../plan/select.ts'
import type { Attempt } from './attempt-input.ts'

/**
 * Observes the host.
 *
 * @throws Failure UNKNOWN_BACKEND or BAD_RECORD: nothing can be judged on such a host
 */
export async function look({ host, wanted, timed, renameDown }: Attempt): Promise<HostState> {
	const seen = await timed('observe', () => host.observe(wanted.interfaces.map(({ macAddress }) => macAddress)))
	const backend = backendOf(seen)
	if ('unknown' in backend) throw failure('UNKNOWN_BACKEND', backend.unknown)
	try {
		recordOf(seen)
	} catch (error) {
		throw badRecord(error)
	}
	return renameDown ? { ...seen, liveRename: false } : seen
}

/** @returns what this attempt would change on such a host, without what netplan would reject at the next boot */
export async function makePlan({ wanted, host, timed }: Attempt, state: HostState): Promise<Plan> {
	const found = select(wanted, state)
	const { failed, kept } = await timed('generate', () => host.foresee(found, state))
	const possible = {
		...wanted,
		failed: new Map([...wanted.failed, ...failed]),
		kept: new Map([...(wanted.kept ?? []), ...kept]),
	}
	const selection = failed.size + kept.size === 0 ? found : select(possible, state)
	const generated = await timed('generate', () => host.generate(selection, state))
	return planOf(selection, state, generated)
}

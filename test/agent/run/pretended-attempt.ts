import type { Step } from '../../../agent/model/change.ts'
import type { RecordedLink } from '../../../agent/model/record.ts'
import type { Accepted } from '../../../agent/model/selection.ts'
import type { Outcome, RolledBack, Stuck } from '../../../agent/report/outcome.ts'
import { DEFAULT_BASES } from '../../../contract/bases.ts'
import { settle } from '../../../contract/interface.ts'
import { hostWith } from '../simulated-host.ts'

/** Attempts that change nothing: a test sets the plan and the result of each. */

export const mac = (id: number) => `fa:16:3e:00:00:${(id + 16).toString(16)}`

/** The result of an attempt; a success if nothing failed. */
export type End = Partial<Pick<RolledBack, 'failed' | 'lostByOthers'> & Pick<Stuck, 'unrestored'>>

/** The ids of the interfaces of a plan. `same`: they are accepted and already as desired. */
export type Changes = Partial<Record<'changed' | 'same' | 'refused' | 'released' | 'kept', readonly number[]>>

const ids = Array.from({ length: 10 }, (_, id) => id)
const nics = settle(ids.map(id => ({ id, macAddress: mac(id), address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24` })))
const { links } = hostWith(ids.map(id => ({ ifindex: id + 3, name: `ens${id}`, mac: mac(id) })))

function acceptedOf(all: readonly number[]): Accepted[] {
	return all.flatMap(id => {
		const [nic, link] = [nics[id], links[id]]
		return nic && link ? [{ nic, link, ours: undefined }] : []
	})
}

function recordOf(id: number): RecordedLink {
	const original = { name: `ens${id}`, altnames: [], mtu: 1500, up: false, sysctls: {} }
	return { mac: mac(id), id, name: `multinic${id}`, original, addresses: [], former: [], routes: [], files: {} }
}

export function planWith({ changed = [], same = [], refused = [], released = [], kept = [] }: Changes): Outcome['plan'] {
	const steps: Step[] = [
		...changed.map((id): Step => ({ id, change: { kind: 'up', link: id + 3 } })),
		...released.map((): Step => ({ change: { kind: 'down', link: 99 } })),
	]
	return {
		accepted: acceptedOf([...changed, ...same]),
		refused: acceptedOf(refused).map(({ nic }) => ({ nic, refusal: { reason: 'ConnectivityLost', message: '' } })),
		released: released.map(id => ({ ours: recordOf(id), link: undefined })),
		shared: new Map(),
		kept: kept.map(id => ({ ours: recordOf(id), link: undefined, refusal: { reason: 'InUse', message: '' } })),
		moves: [],
		bases: [DEFAULT_BASES],
		steps,
		undo: [],
	}
}

const state = hostWith([])
const probes = { before: [], after: [] }
const findings = { proof: { persistent: { status: 'Unknown' as const, message: '' }, warnings: new Map() }, warnings: new Map(), notes: [] }

export function outcomeOf(plan: Outcome['plan'], { failed, unrestored, lostByOthers = [] }: End = {}): Outcome {
	if (failed && unrestored) return { kind: 'stuck', plan, state, probes, failed, unrestored, lostByOthers }
	if (failed) return { kind: 'rolledBack', plan, state, probes, failed, lostByOthers }
	return plan.steps.length > 0 ? { kind: 'committed', plan, state, probes, ...findings } : { kind: 'noChanges', plan, state, ...findings }
}

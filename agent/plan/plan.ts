import { isOurTable } from '../model/bases.ts'
import { changedFile, type ChangeStep, type Step, type UndoStep } from '../model/change.ts'
import type { HostState } from '../model/host-state.ts'
import { RECORD_PATH } from '../model/paths.ts'
import type { Selection } from '../model/selection.ts'
import { fileSteps, type Generated } from './file-steps.ts'
import { phasesOf, type PhaseSteps } from './phases.ts'
import { renameSteps } from './rename-steps.ts'
import { select } from './select.ts'
import { undoOf } from './undo.ts'
import { asReplace, daemonSteps, managedLinks, releaseFromDaemon, restoredAfterRename } from './unmanaged.ts'
import type { Wanted } from './wanted.ts'

/** plan/: decides what a run changes. Pure: it gets an observation and the node config, and returns steps and their undo. */

export type Plan = Selection & {
	/** In the order of application; empty: the host is in sync. */
	steps: Step[]
	/** Rolls the host back to its observed state, after all steps or only the first few have been applied. */
	undo: UndoStep[]
}

/** Returns everything that one run would change, based on one observation. Pure: the same host and config give the same plan. */
export function plan(wanted: Wanted, host: HostState, generated: Generated): Plan {
	return planOf(select(wanted, host), host, generated)
}

/** Returns everything that one run would change for a selection. */
export function planOf(selection: Selection, host: HostState, generated: Generated): Plan {
	const steps = [...linkSteps(selection, host), ...fileSteps(selection, host, generated)]
	// Comes before `inOwnTable` adds `replace`: until then `replace` marks routes that the host already has, which the undo must not remove.
	const undo = undoOf(steps, host)
	const own = <T extends Step>(step: T) => inOwnTable(step, selection)
	return { ...selection, steps: steps.map(own), undo: undo.map(own) }
}

/** Adds `replace` to routes in tables managed by MultiNIC, which contain no foreign routes that it could overwrite. */
function inOwnTable<T extends Step>(step: T, { bases }: Selection): T {
	const { change } = step
	return change?.kind === 'addRoute' && isOurTable(change.route.table, bases) ? { ...step, change: { ...change, replace: true } } : step
}

/**
 * Counts the changes of a plan, but not its actions. The record counts only if nothing else changes, so that the count of the node is the
 * sum of the counts of its interfaces.
 */
export function countChanges(steps: readonly Step[], id?: number): number {
	const changes = steps.filter(step => step.change && (id === undefined || step.id === id))
	const others = changes.filter(step => changedFile(step) !== RECORD_PATH)
	return others.length > 0 ? others.length : changes.length
}

/** If daemons manage links that this run touches, plans those links again for the state after the daemons have released them. */
function linkSteps(selection: Selection, host: HostState): Step[] {
	const found = phasesOf(selection, host)
	const steps = ordered(found, found, { selection, host })
	const managed = managedLinks(steps, host)
	const { first, up, last } = daemonSteps(managed, selection, host)
	if (managed.length === 0) return [...steps, ...last]
	const bare = releaseFromDaemon(managed, selection, host)
	const then = phasesOf(bare.selection, bare.host)
	const give = [...restoredAfterRename(managed, selection, host), ...asReplace(then.give, host)]
	const anew = { ...then, shape: [...then.shape, ...up], give }
	return [...first, ...ordered(found, anew, { selection, host }), ...last]
}

/**
 * @param found steps for the host as it is
 * @param then steps for the host after daemons have released their links. Probes come from `found`: if the host may still have an address,
 * it must not be probed, because the host itself would answer through another NIC in the same network.
 */
function ordered(found: PhaseSteps, then: PhaseSteps, { selection, host }: { selection: Selection; host: HostState }): Step[] {
	const renames = renameSteps(selection, host, { take: found.take, shape: then.shape })
	return [
		...then.settings,
		...rulesOfFamily(withoutDoubles(found.take), 'first'),
		...renames.down,
		...renames.steps,
		...withoutDoubles([...then.shape, ...renames.up]),
		...found.probe,
		...rulesOfFamily(addressesFirst(withoutDoubles([...renames.restored, ...then.give])), 'last'),
		...rulesOfFamily(found.leave, 'first'),
	]
}

/** `ip` needs a separate batch for IPv6 rules; at either end of the phase these cost one more process, in the middle two. */
function rulesOfFamily(steps: readonly ChangeStep[], end: 'first' | 'last'): ChangeStep[] {
	const isSix = ({ change }: ChangeStep) => (change.kind === 'addRule' || change.kind === 'removeRule') && change.rule.family === 6
	const six = steps.filter(isSix)
	const rest = steps.filter(step => !isSix(step))
	return end === 'first' ? [...six, ...rest] : [...rest, ...six]
}

/** Puts addresses before routes, because the next hop of a route must be in a network of the link. */
function addressesFirst(steps: readonly ChangeStep[]): ChangeStep[] {
	const isAddress = ({ change }: ChangeStep) => change.kind === 'addAddress'
	return [...steps.filter(isAddress), ...steps.filter(step => !isAddress(step))]
}

function withoutDoubles(steps: readonly ChangeStep[]): ChangeStep[] {
	const seen = new Set<string>()
	return steps.filter(({ change }) => {
		const before = seen.size
		return seen.add(JSON.stringify(change)).size > before
	})
}

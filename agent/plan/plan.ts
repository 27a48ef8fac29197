import type { HostState } from '../host/state.ts'
import { RECORD_PATH } from '../paths.ts'
import { isOurTable } from './bases.ts'
import { again, daemonSteps, heldLinks, letGo } from './let-go.ts'
import { fileSteps, type Generated } from './files.ts'
import { renameSteps } from './names.ts'
import { type PhaseSteps, phasesOf } from './phases.ts'
import { select, type Wanted } from './select.ts'
import type { Selection } from './selection.ts'
import type { Change, Step } from './steps.ts'
import { undoOf } from './undo.ts'

export type Plan = Selection & {
	/** In the order in which they are applied; none: the host is as it should be. */
	steps: Step[]
	/** Brings the host back as it was observed, after all the steps or any number of the first of them. */
	undo: Change[]
}

/** Everything one run would change, from one observation. Pure: the same host and wish give the same plan. */
export function plan(wanted: Wanted, host: HostState, generated: Generated): Plan {
	return planOf(select(wanted, host), host, generated)
}

/** Everything one run would change of what was selected. */
export function planOf(selection: Selection, host: HostState, generated: Generated): Plan {
	const steps = [...linkSteps(selection, host), ...fileSteps(selection, host, generated)]
	const own = (change: Change) => inOwnTable(change, selection)
	return { ...selection, steps: steps.map(step => ({ ...step, change: own(step.change) })), undo: undoOf(steps, host).map(own) }
}

/** A table of ours has nothing of others that could be replaced. */
function inOwnTable(change: Change, { bases }: Selection): Change {
	return change.kind === 'addRoute' && isOurTable(change.route.table, bases) ? { ...change, replace: true } : change
}

const NO_CHANGE = new Set<Change['kind']>(['seen', 'ask', 'reload', 'load', 'manage', 'unmanage'])

/**
 * How many changes a plan makes; waiting for a daemon or telling it is none, nor is asking. The record of changes is one only where nothing
 * else changes, so that a node has as many as its interfaces.
 */
export function countChanges(steps: readonly Step[], id?: number): number {
	const changes = steps.filter(step => !NO_CHANGE.has(step.change.kind) && (id === undefined || step.id === id))
	const others = changes.filter(({ change }) => change.kind !== 'file' || change.path !== RECORD_PATH)
	return others.length > 0 ? others.length : changes.length
}

/** What NetworkManager has and this run touches is planned again as if it had let go, for then it does. */
function linkSteps(selection: Selection, host: HostState): Step[] {
	const found = phasesOf(selection, host)
	const steps = ordered(found, found, { selection, host })
	const held = heldLinks(steps, host)
	const { first, up, last } = daemonSteps(held, selection, host)
	if (held.length === 0) return [...steps, ...last]
	const bare = letGo(held, selection, host)
	const then = phasesOf(bare.selection, bare.host)
	const anew = { ...then, shape: [...then.shape, ...up], give: again(then.give, host) }
	return [...first, ...ordered(found, anew, { selection, host }), ...last]
}

/**
 * @param found what the host as it is calls for; `then` what is called for when there is nothing left to take. An address that a link may
 * still have is not asked for: the host itself would answer, by another NIC on the same wire.
 */
function ordered(found: PhaseSteps, then: PhaseSteps, { selection, host }: { selection: Selection; host: HostState }): Step[] {
	const renames = renameSteps(selection, host, { take: found.take, shape: then.shape })
	return [
		...then.settings,
		...rulesOfFamily(withoutDoubles(found.take), 'first'),
		...renames.down,
		...renames.steps,
		...withoutDoubles([...then.shape, ...renames.up]),
		...found.ask,
		...rulesOfFamily(addressesFirst(withoutDoubles([...renames.restored, ...then.give])), 'last'),
		...rulesOfFamily(found.leave, 'first'),
	]
}

/** `ip` takes IPv6 rules in a batch of their own; at one end of the phase they cost one process more, in between two. */
function rulesOfFamily(steps: readonly Step[], end: 'first' | 'last'): Step[] {
	const isSix = ({ change }: Step) => (change.kind === 'addRule' || change.kind === 'removeRule') && change.rule.family === 6
	const six = steps.filter(isSix)
	const rest = steps.filter(step => !isSix(step))
	return end === 'first' ? [...six, ...rest] : [...rest, ...six]
}

/** A route's next hop must be on a network that its link has by then. */
function addressesFirst(steps: readonly Step[]): Step[] {
	const isAddress = ({ change }: Step) => change.kind === 'addAddress'
	return [...steps.filter(isAddress), ...steps.filter(step => !isAddress(step))]
}

function withoutDoubles(steps: readonly Step[]): Step[] {
	const words = steps.map(({ change }) => JSON.stringify(change))
	return steps.filter((_, at) => words.indexOf(words[at] ?? '') === at)
}

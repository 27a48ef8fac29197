import { configure, forgottenByDown, memoryOf, type Phases, release, staleRules } from './configure.ts'
import type { FileState, HostState, Link } from './host/state.ts'
import { generatedPaths, RECORD_PATH } from './paths.ts'
import { netplanFiles } from './persist/netplan.ts'
import { type HostRecord, type RecordedLink, recordFile } from './record.ts'
import { orderRenames } from './rename.ts'
import { type Accepted, recordOf, type Released, type Selection, select, type Wanted } from './select.ts'
import type { Change, Step } from './steps.ts'
import { undoOf } from './undo.ts'

export type Plan = Selection & {
	/** In the order in which they are applied; none: the host is as it should be. */
	steps: Step[]
	/** Brings the host back as it was observed, after all the steps or any number of the first of them. */
	undo: Change[]
}

/** What netplan's generator makes of our files, path → file; empty where there is no generator. */
export type Generated = Readonly<Record<string, FileState>>

/** Everything one run would change, from one observation. Pure: the same host and wish give the same plan. */
export function plan(wanted: Wanted, host: HostState, generated: Generated): Plan {
	const selection = select(wanted, host)
	const taken = new Set(selection.accepted.map(({ nic }) => nic.id))
	const owners = [
		...selection.accepted.map(accepted => ({ id: accepted.nic.id, phases: configurePhases(accepted, taken, host) })),
		...selection.released.map(released => ({ id: undefined, phases: releasePhases(released, taken, host) })),
	]
	const of = (phase: keyof Phases) => owners.flatMap(({ id, phases }) => phases[phase].map(change => stepOf(id, change)))
	const renames = renameSteps(selection, host, { take: of('take'), shape: of('shape') })
	const steps = [
		...of('settings'),
		...rulesOfFamily(withoutDoubles(of('take')), 'first'),
		...renames.down,
		...renames.steps,
		...withoutDoubles([...of('shape'), ...renames.up]),
		...of('ask'),
		...rulesOfFamily([...renames.restored, ...of('give')], 'last'),
		...fileSteps(selection, host, generated),
	]
	return { ...selection, steps, undo: undoOf(steps, host) }
}

/** How many changes a plan makes; waiting for a daemon is none, nor is asking. */
export function countChanges(steps: readonly Step[], id?: number): number {
	return steps.filter(step => step.change.kind !== 'seen' && step.change.kind !== 'ask' && (id === undefined || step.id === id)).length
}

/** A NIC that has another id now gives up the rules of its old one, unless that is another NIC's. */
function configurePhases(accepted: Accepted, taken: ReadonlySet<number>, host: HostState): Phases {
	const phases = configure(accepted, host)
	const old = accepted.ours?.id
	return old === undefined || taken.has(old) ? phases : { ...phases, take: [...staleRules(old, [], host), ...phases.take] }
}

/** An id that another NIC has now keeps its rules: that NIC's own plan takes away what is too much. */
function releasePhases(released: Released, taken: ReadonlySet<number>, host: HostState): Phases {
	const phases = release(released, host)
	return taken.has(released.ours.id) ? { ...phases, take: phases.take.filter(({ kind }) => kind !== 'removeRule') } : phases
}

function stepOf(id: number | undefined, change: Change): Step {
	return id === undefined ? { change } : { id, change }
}

/** `ip` takes IPv6 rules in a batch of their own; at one end of the phase they cost one process more, in between two. */
function rulesOfFamily(steps: readonly Step[], end: 'first' | 'last'): Step[] {
	const isSix = ({ change }: Step) => (change.kind === 'addRule' || change.kind === 'removeRule') && change.rule.family === 6
	const six = steps.filter(isSix)
	const rest = steps.filter(step => !isSix(step))
	return end === 'first' ? [...six, ...rest] : [...rest, ...six]
}

function renameSteps({ moves, accepted }: Selection, host: HostState, { take, shape }: { take: readonly Step[]; shape: readonly Step[] }) {
	const { first, second } = orderRenames(moves)
	const ids = new Map(accepted.map(({ nic, link }) => [link.ifindex, nic.id]))
	const step = (change: Change & { link: number }): Step => stepOf(ids.get(change.link), change)
	const rename = ({ link, to }: { link: number; to: string }) => step({ kind: 'rename', link, to })
	const movers = new Set(first.concat(second).map(({ link }) => link))
	const downed = host.liveRename ? [] : host.links.filter(({ ifindex, up }) => up && movers.has(ifindex))
	const staysUp = downed.filter(({ ifindex }) => !shape.some(({ change }) => change.kind === 'down' && change.link === ifindex))
	const pause: Step[] = second.length > 0 && host.networkd ? [{ change: { kind: 'seen', names: first.map(({ to }) => to) } }] : []
	return {
		down: downed.map(({ ifindex }) => step({ kind: 'down', link: ifindex })),
		steps: [...first.map(rename), ...pause, ...second.map(rename)],
		up: staysUp.map(({ ifindex }) => step({ kind: 'up', link: ifindex })),
		restored: staysUp.flatMap(link =>
			forgottenByDown(link, host)
				.filter(change => !take.some(({ change: taken }) => takes(taken, change)))
				.map(change => stepOf(ids.get(link.ifindex), change)),
		),
	}
}

/** What a link had and keeps must be given again after a renaming that took it down; what is taken from it must not. */
function takes(taken: Change, given: Change): boolean {
	if (taken.kind === 'removeAddress' && given.kind === 'addAddress') return taken.address === given.address
	return taken.kind === 'removeRoute' && given.kind === 'addRoute' && taken.route === given.route
}

function withoutDoubles(steps: readonly Step[]): Step[] {
	const words = steps.map(({ change }) => JSON.stringify(change))
	return steps.filter((_, at) => words.indexOf(words[at] ?? '') === at)
}

function fileSteps(selection: Selection, host: HostState, generated: Generated): Step[] {
	const record = recordOf(host)
	const wanted = new Map(selection.accepted.map(accepted => [accepted, filesOf(accepted, generated)]))
	const kept = new Set([...wanted.values()].flatMap(files => Object.keys(files)))
	const puts = [...wanted].flatMap(([{ nic }, files]) => Object.entries(files).flatMap(([path, file]) => put(nic.id, path, file, host)))
	const given = [...selection.released.map(({ ours }) => ours), ...selection.accepted.flatMap(({ ours }) => ours ?? [])]
	const back = given.flatMap(ours =>
		Object.entries(ours.files)
			.filter(([path]) => !kept.has(path))
			.flatMap(([path, { before }]) => put(undefined, path, before ?? undefined, host)),
	)
	return [...puts, ...back, ...put(undefined, RECORD_PATH, recordFile(newRecord(record, wanted, { selection, host })), host)]
}

function filesOf({ nic }: Accepted, generated: Generated): Record<string, FileState> {
	const made = generatedPaths(nic.name).flatMap(path => (generated[path] ? [[path, generated[path]] as const] : []))
	return { ...netplanFiles(nic), ...Object.fromEntries(made) }
}

function put(id: number | undefined, path: string, file: FileState | undefined, { files }: HostState): Step[] {
	const now = files[path]
	if (now?.content === file?.content && now?.mode === file?.mode) return []
	return [stepOf(id, { kind: 'file', path, ...(file && { file }) })]
}

type Files = ReadonlyMap<Accepted, Record<string, FileState>>

/** A link that this run cannot configure stays remembered as it is, and one that cannot have its first name yet by that name. */
function newRecord(record: HostRecord, files: Files, { selection, host }: { selection: Selection; host: HostState }): HostRecord {
	const refused = new Set(selection.refused.map(({ nic }) => nic.macAddress))
	const before = new Map(record.links.flatMap(link => Object.entries(link.files).map(([path, file]) => [path, file.before] as const)))
	const beforeOf = (path: string) => (before.has(path) ? (before.get(path) ?? null) : (host.files[path] ?? null))
	const ours = selection.accepted.map(
		(accepted): RecordedLink => ({
			...memoryOf(accepted),
			files: Object.fromEntries(
				Object.entries(files.get(accepted) ?? {}).map(([path, { content }]) => [path, { before: beforeOf(path), after: content }]),
			),
		}),
	)
	return { version: 1, links: [...ours, ...record.links.filter(({ mac }) => refused.has(mac)), ...misnamed(selection)] }
}

function misnamed({ released, moves }: Selection): RecordedLink[] {
	const nameOf = (link: Link) => moves.find(move => move.link === link.ifindex)?.to ?? link.name
	return released.flatMap(({ ours, link }) =>
		link && nameOf(link) !== ours.original.name ? [{ ...ours, addresses: [], routes: [], files: {} }] : [],
	)
}

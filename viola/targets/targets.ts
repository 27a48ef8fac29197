import type { SetTimer } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { onceATurn } from '../../runtime/once-a-turn.ts'
import type { FileSource } from '../../runtime/watched-file.ts'
import type { ClustersFile } from './clusters-file.ts'
import { changesBetween, NONE, type Refusal, select } from './select.ts'
import type { Target, TargetChange } from './target.ts'
import { watchClustersFile } from './watch-clusters-file.ts'
import { type SecretsOptions, watchSecrets } from './watch-secrets.ts'

export type TargetsOptions = {
	/** The file in VIOLA_CLUSTERS. */
	file?: FileSource<ClustersFile> | undefined
	/** The Secrets with the label `multinic.io/provider-id`. */
	secrets?: SecretsOptions | undefined
	log: Log
	/** Ends the watches. */
	signal: AbortSignal
	setTimer?: SetTimer
}

/** The biz clusters, from all sources, as they are now. */
export type Targets = {
	get(providerId: string): Target | undefined
	all(): readonly Target[]
	/** The sources that are not used, or whose current version is not used, with the reason. */
	refused(): readonly Refusal[]
	/** Whether all sources have been read, so that a provider that is missing does not exist. */
	isComplete(): boolean
	/** Immediately reports every target as added, then every later change once `get` returns it. The listener must not throw. */
	onChange(listener: (change: TargetChange) => void): void
}

/** Reads the biz clusters, and watches their sources until `signal` is aborted. */
export function createTargets({ file, secrets, log, signal, setTimer }: TargetsOptions): Targets {
	const listeners = new Set<(change: TargetChange) => void>()
	let selected = NONE
	let isComplete = secrets === undefined
	const update = () => {
		const before = selected
		selected = select(fromFile(), fromSecrets?.all() ?? [])
		isComplete = fromSecrets?.isSynced() ?? true
		const changes = changesBetween(before.targets, selected.targets)
		report(log, changes, newIn(selected.refused, before.refused))
		for (const change of changes) for (const listener of listeners) listener(change)
	}
	const due = onceATurn(update)
	const options = { log, signal, onChange: due, ...(setTimer && { setTimer }) }
	const fromFile = file ? watchClustersFile(file, options) : () => []
	const fromSecrets = secrets && watchSecrets(secrets, options)
	update()
	return {
		get: providerId => selected.targets.get(providerId),
		all: () => [...selected.targets.values()],
		refused: () => selected.refused,
		isComplete: () => isComplete,
		onChange: listener => {
			listeners.add(listener)
			for (const target of selected.targets.values()) listener({ type: 'added', target })
		},
	}
}

function report(log: Log, changes: readonly TargetChange[], refused: readonly Refusal[]): void {
	for (const { type, target } of changes)
		log.info({ change: type, providerId: target.providerId, source: target.source, namespace: target.namespace }, 'biz cluster changed')
	for (const refusal of refused) log.warn({ ...refusal }, 'the source of a biz cluster is refused')
}

function newIn(now: readonly Refusal[], before: readonly Refusal[]): Refusal[] {
	const known = new Set(before.map(textOf))
	return now.filter(refusal => !known.has(textOf(refusal)))
}

function textOf({ source, providerId, reason }: Refusal): string {
	return JSON.stringify([source, providerId, reason])
}

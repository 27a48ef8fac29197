import { type Report, readReport } from './read-report.ts'
import { hasEnded, isActive } from './runs.ts'
import type { Mode, Run } from './snapshot.ts'
import type { ConfigMapView, Mark, RunJobView, RunPodView } from './view.ts'

/** What is known of one run, from three caches that do not advance in step. */
type Parts = { configMap?: ConfigMapView; job?: RunJobView; pod?: RunPodView; read?: Reading }
type Reading = { report: Report } | { fault: string }

/**
 * Every run by node, so that a decision need not look through all of them. Within a node by name and uid: while the garbage collector
 * still works on a deleted node config, its runs and those of its successor may have the same names.
 */
export type RunIndex = {
	configMap: Take<ConfigMapView>
	job: Take<RunJobView>
	pod: Take<RunPodView>
	runsOf(node: string): Run[]
	/** How many runs of these modes are under way in the whole cluster. */
	active(is: (mode: Mode) => boolean): number
}

/** Takes what a cache says: what there is now, or what was there last. */
type Take<V> = (now: V | undefined, before: V | undefined) => void

const modes: readonly Mode[] = ['Apply', 'Plan', 'Verify', 'Cleanup']

/** An empty index. */
export function createRunIndex(): RunIndex {
	const nodes = new Map<string, Map<string, Parts>>()
	const active = new Map<string, Mode>()
	const counts: Record<Mode, number> = { Apply: 0, Plan: 0, Verify: 0, Cleanup: 0 }
	const setActive = (key: string, mode: Mode | undefined) => {
		const before = active.get(key)
		if (before) counts[before]--
		if (mode) counts[mode]++
		if (mode) active.set(key, mode)
		else active.delete(key)
	}
	const change = (mark: Mark | undefined, edit: (parts: Parts) => void) => {
		if (!mark?.node || !mark.name) return
		const key = `${mark.name} ${mark.uid}`
		const runs = nodes.get(mark.node) ?? new Map<string, Parts>()
		const parts = runs.get(key) ?? {}
		edit(parts)
		keep(nodes, runs, { node: mark.node, key }, parts)
		const run = runFrom(parts)
		setActive(key, run && isActive(run) ? run.mode : undefined)
	}
	return {
		configMap: (now, before) => change(now ?? before, parts => takeConfigMap(parts, now)),
		job: (now, before) => change(now ?? before, parts => assign(parts, 'job', now)),
		pod: (now, before) => change(now ?? before, parts => takePod(parts, now, before)),
		runsOf: node => [...(nodes.get(node)?.values() ?? [])].flatMap(parts => runFrom(parts) ?? []),
		active: is => modes.filter(is).reduce((sum, mode) => sum + counts[mode], 0),
	}
}

function keep(
	nodes: Map<string, Map<string, Parts>>,
	runs: Map<string, Parts>,
	{ node, key }: { node: string; key: string },
	parts: Parts,
): void {
	if (parts.configMap || parts.job || parts.pod) runs.set(key, parts)
	else runs.delete(key)
	if (runs.size > 0) nodes.set(node, runs)
	else nodes.delete(node)
}

/** A report is read once, and only its result is kept. */
function takeConfigMap(parts: Parts, now: ConfigMapView | undefined): void {
	assign(parts, 'configMap', now && { ...now, report: undefined })
	if (now?.report === undefined) delete parts.read
	else parts.read = readReport(now.report, now)
}

/** A Job that is tried once has one pod; should it ever have had another, the latest counts. */
function takePod(parts: Parts, now: RunPodView | undefined, before: RunPodView | undefined): void {
	if (now || parts.pod?.pod === before?.pod) assign(parts, 'pod', now)
}

function assign<K extends 'configMap' | 'job' | 'pod'>(parts: Parts, key: K, value: Parts[K] | undefined): void {
	if (value === undefined) delete parts[key]
	else parts[key] = value
}

function runFrom(parts: Parts): Run | undefined {
	const { configMap, job, pod } = parts
	const mark = configMap ?? job ?? pod
	if (!mark) return undefined
	const { name, uid, generation, attempt } = mark
	const run: Run = {
		...{ name, uid, generation, attempt, job, pod },
		mode: configMap?.mode ?? 'Apply',
		cause: configMap?.cause ?? '',
		asked: configMap?.asked ?? {},
		failures: configMap?.failures ?? 0,
		created: configMap?.created ?? job?.created ?? 0,
		hasConfigMap: configMap !== undefined,
		report: undefined,
		reportFault: undefined,
	}
	return withReport(run, parts)
}

/** Where the API server could not be reached, the run left the short form of its report in the pod. */
function withReport(run: Run, { read, configMap }: Parts): Run {
	const lastWords = run.pod?.lastWords
	const reading = read ?? (configMap && hasEnded(run) && lastWords ? readReport(lastWords, { ...configMap, mode: run.mode }) : undefined)
	if (!reading) return run
	if ('report' in reading) return { ...run, report: reading.report }
	return read ? { ...run, reportFault: reading.fault } : run
}

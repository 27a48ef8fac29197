import type { FileState, HostState } from '../model/host-state.ts'
import type { Accepted, Released } from '../model/selection.ts'
import { backendFor, isNetplan } from './backend.ts'

export type NetplanFiles = Readonly<Record<string, FileState>>
/** The interfaces that a run configures and those that it removes. */
export type RunChanges = { accepted: readonly Accepted[]; released: readonly Released[] }

/** Returns netplan's files as the next boot finds them after a run that configures and removes these interfaces. */
export function netplanAfter({ accepted, released }: RunChanges, host: HostState): NetplanFiles {
	const ours = [...released.map(one => one.ours), ...accepted.flatMap(one => one.ours ?? [])]
	const restored = ours.flatMap(({ files }) => Object.entries(files).map(([path, { before }]) => [path, before ?? undefined] as const))
	const written = netplanFilesOf(accepted, host)
	const all: [string, FileState | undefined][] = Object.entries({ ...host.files, ...Object.fromEntries(restored), ...written })
	const there = all.filter(
		(one): one is [string, FileState] => isNetplan(one[0]) && one[1] !== undefined && one[1].unreadable === undefined,
	)
	return Object.fromEntries(there.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** @returns the netplan files that MultiNIC writes for these interfaces */
export function netplanFilesOf(accepted: readonly Accepted[], host: HostState): NetplanFiles {
	const backend = backendFor(host)
	return Object.fromEntries(accepted.flatMap(({ nic }) => Object.entries(backend.files(nic, host)).filter(([path]) => isNetplan(path))))
}

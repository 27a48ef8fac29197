import type { Change } from '../model/change.ts'
import type { FileState } from '../model/host-state.ts'
import { type Device, deviceWord } from './device-word.ts'
import { formatChange, type IpLine } from './format-change.ts'

/** Changes that run together. */
export type ChangeGroup<T> =
	| { batch: { item: T; spelled: IpLine }[] }
	| { writes: { item: T; path: string; file: FileState }[] }
	| { probes: T[] }
	| { single: T }

/**
 * Groups consecutive changes: `ip` lines of one family form one batch, files are written together, and duplicate address checks run
 * together. Every other change is a separate part.
 */
export function groupChanges<T>(items: readonly T[], changeOf: (item: T) => Change, device: Device = deviceWord): ChangeGroup<T>[] {
	const groups: ChangeGroup<T>[] = []
	for (const item of items) add(groups, item, { change: changeOf(item), device })
	return groups
}

function add<T>(groups: ChangeGroup<T>[], item: T, { change, device }: { change: Change; device: Device }): void {
	const spelled = formatChange(change, device)
	const last = groups.at(-1)
	if (spelled && last && 'batch' in last && isTogether(last.batch[0]?.spelled, spelled)) last.batch.push({ item, spelled })
	else if (spelled) groups.push({ batch: [{ item, spelled }] })
	else if (change.kind === 'ask' && last && 'probes' in last) last.probes.push(item)
	else if (change.kind === 'ask') groups.push({ probes: [item] })
	else if (change.kind !== 'writeFile') groups.push({ single: item })
	else if (last && 'writes' in last) last.writes.push({ item, path: change.path, file: change.file })
	else groups.push({ writes: [{ item, path: change.path, file: change.file }] })
}

function isTogether(first: IpLine | undefined, next: IpLine): boolean {
	return first?.family === next.family && !first?.alone && !next.alone
}

import type { Change } from '../model/change.ts'
import type { FileState } from '../model/host-state.ts'
import { type Device, deviceWord } from './device-word.ts'
import { type IpLine, spell } from './format-change.ts'

/** Changes that run together. */
export type Part<T> =
	| { batch: { item: T; spelled: IpLine }[] }
	| { puts: { item: T; path: string; file: FileState }[] }
	| { asks: T[] }
	| { single: T }

/**
 * Groups consecutive changes: `ip` lines of one family form one batch, files are written together, and duplicate address checks run
 * together. Every other change is a separate part.
 */
export function partsOf<T>(items: readonly T[], changeOf: (item: T) => Change, device: Device = deviceWord): Part<T>[] {
	const parts: Part<T>[] = []
	for (const item of items) add(parts, item, { change: changeOf(item), device })
	return parts
}

function add<T>(parts: Part<T>[], item: T, { change, device }: { change: Change; device: Device }): void {
	const spelled = spell(change, device)
	const last = parts.at(-1)
	if (spelled && last && 'batch' in last && isTogether(last.batch[0]?.spelled, spelled)) last.batch.push({ item, spelled })
	else if (spelled) parts.push({ batch: [{ item, spelled }] })
	else if (change.kind === 'ask' && last && 'asks' in last) last.asks.push(item)
	else if (change.kind === 'ask') parts.push({ asks: [item] })
	else if (change.kind !== 'file' || !change.file) parts.push({ single: item })
	else if (last && 'puts' in last) last.puts.push({ item, path: change.path, file: change.file })
	else parts.push({ puts: [{ item, path: change.path, file: change.file }] })
}

function isTogether(first: IpLine | undefined, next: IpLine): boolean {
	return first?.family === next.family && !first?.alone && !next.alone
}

import type { Interface } from '../../contract/interface.ts'
import type { Log } from '../../runtime/log.ts'
import type { Entry } from '../model/entry.ts'
import type { Wanted } from '../model/wanted.ts'
import { differenceOf } from './difference.ts'
import type { Applied } from './upsert.ts'

/** The sender of a request: the client, how it authenticated, and the id of the request. */
export type By = { client: string; how: string; requestId: string }

/** Logs one changed node config. The line never contains a token, an address or a body. */
export function logChange(log: Log, wanted: Wanted, { by, providerId, applied }: { by: By; providerId: string; applied: Applied }): void {
	if (applied.status === 'unchanged') return
	const { before, after, act } = applied
	const interfaces = differenceOf(interfacesIn(before), wanted.object.spec.interfaces)
	const generation = { before: before?.generation ?? 0, after: after.generation }
	log.info({ ...by, providerId, nodeName: wanted.nodeName, act, generation, interfaces }, 'node config changed')
}

/** Logs a node config that was deleted. */
export function logRemoval(
	log: Log,
	nodeName: string,
	{ by, providerId, before }: { by: By; providerId: string; before: Entry | undefined },
): void {
	const interfaces = differenceOf(interfacesIn(before), [])
	const generation = { before: before?.generation ?? 0 }
	log.info({ ...by, providerId, nodeName, act: 'delete', generation, interfaces }, 'node config changed')
}

function interfacesIn(entry: Entry | undefined): Interface[] {
	return entry ? (JSON.parse(entry.view) as { interfaces: Interface[] }).interfaces : []
}

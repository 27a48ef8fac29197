import type { NamespaceState } from '../render/missing.ts'
import { Namespace } from '../../runtime/kube/index.ts'
import { NodeConfig } from '../model/kinds.ts'
import type { Reading } from './reading.ts'
import { unlessForbidden } from './unless-forbidden.ts'

/** The state of the requested namespace, and node configs in other namespaces, as far as the user may read them. */

export async function readNamespaceState({ cluster, signal, progress }: Reading): Promise<NamespaceState> {
	const { client, namespace, server } = cluster
	const asked = unlessForbidden(client.find(Namespace, { name: namespace }, { signal }))
	const answer = await progress(`reading namespace ${namespace} from ${server}`, asked)
	if (!answer) return 'unknown'
	if (!answer.found) return 'missing'
	return answer.found.metadata.deletionTimestamp === undefined ? 'there' : 'deleting'
}

/**
 * Counts the first 500 node configs in other namespaces.
 *
 * @param name counts only node configs with this name
 * @returns namespace → count, ordered by namespace
 */
export async function readElsewhere({ cluster, signal, progress }: Reading, name?: string): Promise<ReadonlyMap<string, number>> {
	const { client, namespace, server } = cluster
	const fieldSelector = [`metadata.namespace!=${namespace}`, ...(name === undefined ? [] : [`metadata.name=${name}`])].join()
	const asked = unlessForbidden(client.pages(NodeConfig, { fieldSelector, signal }).next())
	const answer = await progress(`reading node configs of other namespaces from ${server}`, asked)
	const counts = new Map<string, number>()
	for (const { metadata } of answer?.found.value?.items ?? []) {
		const at = metadata.namespace ?? ''
		counts.set(at, (counts.get(at) ?? 0) + 1)
	}
	return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

import { parse } from 'yaml'
import * as z from 'zod'
import { Id } from '../../contract/primitives.ts'
import { ObjectName } from '../../runtime/env.ts'
import { faultsIn } from '../../runtime/faults.ts'
import { DEFAULT_NAMESPACE, type Target } from './target.ts'

/** The file in VIOLA_CLUSTERS. Pure. */

/** A biz cluster in the file. Without a kubeconfig, the credentials are those of viola's own pod. */
const Entry = z.strictObject({
	kubeconfig: z.string().min(1).optional(),
	context: z.string().min(1).optional(),
	namespace: ObjectName.max(63).default(DEFAULT_NAMESPACE),
})

/** Provider id (k8sProviderID) → cluster. */
export type ClustersFile = ReadonlyMap<string, z.output<typeof Entry>>

const Document = z.record(z.string(), Entry)

/**
 * @param text YAML or JSON
 * @throws Error that lists every fault with its provider
 */
export function parseClusters(text: string): ClustersFile {
	const parsed = Document.safeParse(parse(text, { prettyErrors: false }) as unknown)
	if (!parsed.success) throw new TypeError(faultsIn(parsed.error, { whole: 'it' }))
	const clusters = new Map(Object.entries(parsed.data))
	for (const providerId of clusters.keys()) {
		const id = Id.min(1).safeParse(providerId)
		if (!id.success) throw new TypeError(faultsIn(id.error, { whole: `provider id ${JSON.stringify(providerId.slice(0, 80))}` }))
	}
	return clusters
}

/**
 * Returns the targets in a file.
 *
 * @param path of the file, for messages
 * @param digestOf returns a digest of the current content of a kubeconfig
 */
export function targetsIn(clusters: ClustersFile, path: string, digestOf: (kubeconfig: string) => string): Target[] {
	return [...clusters].map(([providerId, { kubeconfig, context, namespace }]) => {
		const place = JSON.stringify(['file', kubeconfig, context, namespace])
		const version = `${place}${kubeconfig === undefined ? '' : digestOf(kubeconfig)}`
		return { providerId, namespace, source: path, access: { from: 'file', kubeconfig, context }, place, version }
	})
}

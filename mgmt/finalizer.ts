import type { KubeClient } from '../runtime/kube/index.ts'
import { type OpenstackConfig, OpenstackConfigKind, WITHDRAW_FINALIZER } from './kind.ts'

/** Adds the finalizer if it is missing, so that the OpenstackConfig exists until its nodes are withdrawn. */
export async function addFinalizer(client: KubeClient, { metadata }: OpenstackConfig): Promise<void> {
	const { finalizers = [], resourceVersion } = metadata
	if (finalizers.includes(WITHDRAW_FINALIZER)) return
	await client.patch(OpenstackConfigKind, metadata, { metadata: { resourceVersion, finalizers: [...finalizers, WITHDRAW_FINALIZER] } })
}

/** Removes the finalizer, which completes the deletion. */
export async function removeFinalizer(client: KubeClient, { metadata }: OpenstackConfig): Promise<void> {
	const { finalizers = [], resourceVersion } = metadata
	const rest = finalizers.filter(finalizer => finalizer !== WITHDRAW_FINALIZER)
	if (rest.length < finalizers.length)
		await client.patch(OpenstackConfigKind, metadata, { metadata: { resourceVersion, finalizers: rest } })
}

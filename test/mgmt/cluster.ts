import { customResourceDefinition } from '../../contract/crd.ts'
import { crds } from '../../contract/crds.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { CustomResourceDefinition } from '../../runtime/kube/kinds.ts'

/** Applies the CRDs to an API server and waits until it serves them. */
export async function putCrds(client: KubeClient): Promise<void> {
	for (const crd of crds) await client.apply(CustomResourceDefinition, customResourceDefinition(crd) as never)
	await waitForCrds(client, crds)
}

import { customResourceDefinition } from '../../contract/crd.ts'
import { crds } from '../../contract/crds.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'
import { CustomResourceDefinition } from '../../runtime/kube/kinds.ts'

/** Puts the CRDs into an API server and waits until it serves them. */
export async function putCrds(client: KubeClient): Promise<void> {
	for (const crd of crds) await client.apply(CustomResourceDefinition, customResourceDefinition(crd) as never)
	for (const { group, names } of crds) while (!(await isServed(client, `${names.plural}.${group}`))) await new Promise(setImmediate)
}

async function isServed(client: KubeClient, name: string): Promise<boolean> {
	const { status } = await client.get(CustomResourceDefinition, { name })
	return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false
}

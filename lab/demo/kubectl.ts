import { join } from 'node:path'
import { execa } from 'execa'
import type { Cluster, Lab } from '../setup/start-lab.ts'

/** Runs kubectl as an administrator of a cluster. Throws an error with its stderr if it fails. */
export async function kubectl({ bin }: Lab, { kubeconfig }: Cluster, args: readonly string[], input = ''): Promise<string> {
	const { stdout } = await execa(join(bin, 'kubectl'), args, { env: { KUBECONFIG: kubeconfig }, input })
	return stdout
}

/** Applies objects to a cluster. */
export async function applyObjects(lab: Lab, cluster: Cluster, objects: readonly object[]): Promise<void> {
	await kubectl(lab, cluster, ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
}

/** Returns a namespace in which pods must meet this level of Pod Security. */
export function namespaceObject(name: string, level: 'privileged' | 'restricted'): object {
	return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': level } } }
}

/** Returns a Secret. */
export function secretObject(namespace: string, name: string, stringData: Record<string, string>): object {
	return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData }
}

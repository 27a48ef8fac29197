import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'

/** A cluster and one of its users. */
export interface Access {
	name: string
	server: string
	/** CA certificates in PEM format. */
	ca: string
	token: string
}

/** Writes a kubeconfig that only its owner can read, and returns its path. */
export async function writeKubeconfig(path: string, access: Access): Promise<string> {
	await writeFile(path, kubeconfig(access), { mode: 0o600 })
	return path
}

/** Returns a kubeconfig with one cluster and one user, as YAML. */
export function kubeconfig({ name, server, ca, token }: Access): string {
	return stringify({
		apiVersion: 'v1',
		kind: 'Config',
		clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
		users: [{ name, user: { token } }],
		contexts: [{ name, context: { cluster: name, user: name } }],
		'current-context': name,
	})
}

import * as z from 'zod'
import { LABEL_PROVIDER_ID } from '../contract/names.ts'
import { ListenAddress, ObjectName, readEnv } from '../runtime/env.ts'
import { type FileSource, filePath } from '../runtime/watched-file.ts'
import { type ClustersFile, parseClusters } from './targets/clusters-file.ts'

/** The environment of `node viola/main.ts`, without the variables for the access of clients (`runtime/auth/config.ts`). */
export const Env = z
	.object({
		VIOLA_ADDR: ListenAddress.prefault(':8080').describe('Listen address; with port 0 a free port is chosen and logged'),
		VIOLA_CLUSTERS: filePath(parseClusters)
			.optional()
			.describe('File (YAML or JSON): provider id → { kubeconfig?, context?, namespace? }; read again when it changes'),
		VIOLA_SECRETS_NAMESPACE: ObjectName.max(63)
			.optional()
			.describe(`Namespace whose Secrets with the label ${LABEL_PROVIDER_ID} define clusters; without it, no Secrets are read`),
	})
	.refine(env => env.VIOLA_SECRETS_NAMESPACE !== undefined || env.VIOLA_CLUSTERS === undefined || env.VIOLA_CLUSTERS.first.size > 0, {
		path: ['VIOLA_CLUSTERS'],
		message: 'has no clusters: use provider id: { kubeconfig, namespace }',
	})
	.refine(env => env.VIOLA_SECRETS_NAMESPACE !== undefined || env.VIOLA_CLUSTERS !== undefined, {
		message: 'VIOLA_CLUSTERS or VIOLA_SECRETS_NAMESPACE is required: there is no default cluster',
		when: () => true,
	})

export type Config = {
	host: string
	port: number
	clusters: FileSource<ClustersFile> | undefined
	secretsNamespace: string | undefined
}

/** @throws Failure CONFIG_INVALID that names the variable, or the file and its field */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
	const read = readEnv(Env, env)
	return { ...read.VIOLA_ADDR, clusters: read.VIOLA_CLUSTERS, secretsNamespace: read.VIOLA_SECRETS_NAMESPACE }
}

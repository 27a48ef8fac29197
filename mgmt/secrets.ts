import type { OpenstackConfigSpec, SecretKeyRef } from '../contract/openstack-config.ts'
import type { KubeClient } from '../runtime/kube/client.ts'
import { Secret } from '../runtime/kube/kinds.ts'
import type { Config } from './config.ts'
import { refuse, saying } from './failures.ts'

/** What one OpenstackConfig signs in with; never logged, never in a status. */
export type Secrets = {
	violaToken(): Promise<string>
	contrabassKey(): Promise<string>
	/** For Keystone without Contrabass. */
	password(): Promise<string>
}

/** The Secret of an OpenstackConfig's namespace that has Contrabass' key where none is named; installations of today have it. */
const contrabassSecret = { name: 'contrabass-encrypt-key', key: 'CONTRABASS_ENCRYPT_KEY' } as const

/**
 * Reads each secret when it is needed, so that a changed one counts at once. A Secret that is named wins over one that is there by
 * convention, and that over what stands in the OpenstackConfig or the environment.
 */
export function secretsOf(client: KubeClient, namespace: string, spec: OpenstackConfigSpec, env: Config): Secrets {
	const read = (ref: SecretKeyRef) => readKey(client, namespace, ref)
	const first = async (ref: SecretKeyRef | undefined, byDefault: string | undefined, names: string) => {
		const value = ref ? await read(ref) : byDefault
		if (!value) throw refuse('ConfigError', `${names}: none of them is set`)
		return value
	}
	return {
		violaToken: () => first(spec.secrets?.violaTokenSecretRef, env.VIOLA_TOKEN, 'spec.secrets.violaTokenSecretRef and VIOLA_TOKEN'),
		async contrabassKey() {
			const named = spec.secrets?.contrabassEncryptKeySecretRef
			const unnamed = named ? undefined : await findKey(client, namespace, contrabassSecret)
			const byDefault = unnamed || spec.settings?.contrabassEncryptKey || env.CONTRABASS_ENCRYPT_KEY
			return first(
				named,
				byDefault,
				`spec.secrets.contrabassEncryptKeySecretRef, Secret ${contrabassSecret.name} and CONTRABASS_ENCRYPT_KEY`,
			)
		},
		password: () =>
			first(spec.credentials.passwordSecretRef, spec.credentials.password, 'spec.credentials.passwordSecretRef and .password'),
	}
}

async function readKey(client: KubeClient, namespace: string, ref: SecretKeyRef): Promise<string> {
	const value = await findKey(client, namespace, ref)
	if (value === undefined) throw refuse('ConfigError', `Secret ${namespace}/${ref.name} does not exist`)
	if (value === '') throw refuse('ConfigError', `Secret ${namespace}/${ref.name} has no key ${ref.key}, or it is empty`)
	return value
}

/** @returns undefined where there is no such Secret, '' where it does not have the key */
async function findKey(client: KubeClient, namespace: string, { name, key }: SecretKeyRef): Promise<string | undefined> {
	const where = `Secret ${namespace}/${name}`
	const secret = await saying('ConfigError', `${where} could not be read`, () => client.find(Secret, { namespace, name }))
	const base64 = secret && (secret.data?.[key] ?? '')
	return base64 && Buffer.from(base64, 'base64').toString('utf8').trim()
}

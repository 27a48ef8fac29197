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

/** Reads each secret when it is needed, so that a changed one counts at once. A Secret that is named wins over the environment. */
export function secretsOf(client: KubeClient, namespace: string, spec: OpenstackConfigSpec, env: Config): Secrets {
	const read = (ref: SecretKeyRef) => readKey(client, namespace, ref)
	const first = async (ref: SecretKeyRef | undefined, byDefault: string | undefined, names: string) => {
		const value = ref ? await read(ref) : byDefault
		if (!value) throw refuse('ConfigError', `${names}: neither of them is set`)
		return value
	}
	return {
		violaToken: () => first(spec.secrets?.violaTokenSecretRef, env.VIOLA_TOKEN, 'spec.secrets.violaTokenSecretRef and VIOLA_TOKEN'),
		contrabassKey: () =>
			first(
				spec.secrets?.contrabassEncryptKeySecretRef,
				env.CONTRABASS_ENCRYPT_KEY,
				'spec.secrets.contrabassEncryptKeySecretRef and CONTRABASS_ENCRYPT_KEY',
			),
		password: () =>
			first(spec.credentials.passwordSecretRef, spec.credentials.password, 'spec.credentials.passwordSecretRef and .password'),
	}
}

async function readKey(client: KubeClient, namespace: string, { name, key }: SecretKeyRef): Promise<string> {
	const where = `Secret ${namespace}/${name}`
	const secret = await saying('ConfigError', `${where} could not be read`, () => client.find(Secret, { namespace, name }))
	if (!secret) throw refuse('ConfigError', `${where} does not exist`)
	const value = Buffer.from(secret.data?.[key] ?? '', 'base64')
		.toString('utf8')
		.trim()
	if (value === '') throw refuse('ConfigError', `${where} has no key ${key}, or it is empty`)
	return value
}

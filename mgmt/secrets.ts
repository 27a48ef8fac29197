import type { OpenstackConfigSpec, SecretKeyRef } from '../contract/openstack-config.ts'
import { type KubeClient, Secret as KubeSecret } from '../runtime/kube/index.ts'
import type { Config } from './config.ts'
import { createSecret, type Secret, type SecretName } from './disclosure/decide.ts'
import type { Origin } from './model/origin.ts'
import { refuse, saying } from './model/failures.ts'

/** The secrets of one OpenstackConfig. They are never logged and never in a status. */
export type Secrets = {
	violaToken(): Promise<Secret>
	contrabassKey(): Promise<Secret>
	/** For Keystone, if Contrabass is not used. */
	password(): Promise<Secret>
}

/**
 * The default Secret with the key of Contrabass, in the namespace of the OpenstackConfig. Existing installations use it without naming it.
 */
const contrabassSecret = { name: 'contrabass-encrypt-key', key: 'CONTRABASS_ENCRYPT_KEY' } as const

/** A possible source of a secret. */
type Place = Origin & { read: () => Promise<string | undefined> | string | undefined }

/**
 * Reads each secret when it is needed, so that a change applies immediately. A Secret that is named takes precedence over one with the
 * conventional name, which takes precedence over a value in the OpenstackConfig or the environment.
 */
export function secretsOf(
	client: KubeClient,
	namespace: string,
	{ secrets, settings, credentials }: OpenstackConfigSpec,
	env: Config,
): Secrets {
	const inSecret = (field: string, ref: SecretKeyRef | undefined) => own(field, () => ref && readKey(client, namespace, ref))
	return {
		violaToken: () =>
			firstOf('viola token', [
				inSecret('spec.secrets.violaTokenSecretRef', secrets?.violaTokenSecretRef),
				ofProcess('VIOLA_TOKEN', env.VIOLA_TOKEN?.()),
			]),
		contrabassKey: () =>
			firstOf('Contrabass encryption key', [
				inSecret('spec.secrets.contrabassEncryptKeySecretRef', secrets?.contrabassEncryptKeySecretRef),
				own(`Secret ${contrabassSecret.name}`, () => findKey(client, namespace, contrabassSecret)),
				own('spec.settings.contrabassEncryptKey', () => settings?.contrabassEncryptKey),
				ofProcess('CONTRABASS_ENCRYPT_KEY', env.CONTRABASS_ENCRYPT_KEY),
			]),
		password: () =>
			firstOf('password', [
				inSecret('spec.credentials.passwordSecretRef', credentials.passwordSecretRef),
				own('spec.credentials.password', () => credentials.password),
			]),
	}
}

function own(field: string, read: Place['read']): Place {
	return { source: 'namespace', field, read }
}

function ofProcess(field: string, value: string | undefined): Place {
	return { source: 'environment', field, read: () => value }
}

async function firstOf(name: SecretName, places: readonly Place[]): Promise<Secret> {
	for (const place of places) {
		const value = await place.read()
		if (value) return createSecret(name, place, value)
	}
	throw refuse('ConfigError', `${places.map(({ field }) => field).join(', ')}: one of them must be set`)
}

async function readKey(client: KubeClient, namespace: string, ref: SecretKeyRef): Promise<string> {
	const value = await findKey(client, namespace, ref)
	if (value === undefined) throw refuse('ConfigError', `Secret ${namespace}/${ref.name} does not exist`)
	if (value === '') throw refuse('ConfigError', `Secret ${namespace}/${ref.name} has no key ${ref.key}, or it is empty`)
	return value
}

/** @returns the value; undefined if there is no such Secret, '' if it does not have the key */
async function findKey(client: KubeClient, namespace: string, { name, key }: SecretKeyRef): Promise<string | undefined> {
	const where = `Secret ${namespace}/${name}`
	const secret = await saying('ConfigError', `${where} could not be read`, () => client.find(KubeSecret, { namespace, name }))
	if (!secret) return undefined
	const { data = {} } = secret
	// the author chooses the key: a plain lookup would also find inherited properties
	return Object.hasOwn(data, key)
		? Buffer.from(data[key] ?? '', 'base64')
				.toString('utf8')
				.trim()
		: ''
}

import { refuse } from '../model/failures.ts'
import { type AllowedHost, isAllowedHost } from './hosts.ts'
import { type Endpoint, isEncrypted, type Origin } from '../model/origin.ts'

/** The secrets that mgmt uses. */
export type SecretName = 'viola token' | 'Contrabass encryption key' | 'password' | 'Keystone token'
/** What is known about a secret, without its value. */
export type SecretFacts = Origin & { readonly name: SecretName }

const text = Symbol('text')
/** A secret. No code outside this file reads its value; logs and JSON omit it. */
export type Secret = SecretFacts & { readonly [text]: string }

declare const checked: unique symbol
/** A secret and the endpoint to which it may be sent. Only {@link grantOf} creates one. */
export type Grant = { readonly secret: Secret; readonly endpoint: Endpoint; readonly [checked]: true }

/** Creates a secret with this origin. */
export function createSecret(name: SecretName, { source, field }: Origin, value: string): Secret {
	return { name, source, field, [text]: value }
}

/** Returns the value of a secret, to be sent to the endpoint of its grant. */
export function reveal({ secret }: Grant): string {
	return secret[text]
}

/** Returns whether two secrets have the same value, such as a token before and after its Secret was written. */
export function isSameSecret(one: Secret, other: Secret): boolean {
	return one[text] === other[text]
}

/**
 * Returns a grant if the secret may be sent to the endpoint. @throws Failure SecretWithheld or ConfigError that names the field and the
 * host
 */
export function grantOf(secret: Secret, endpoint: Endpoint, hosts: readonly AllowedHost[]): Grant {
	refuseUnlessGranted(secret, endpoint, hosts)
	return { secret, endpoint } as Grant
}

/** Makes the same check as {@link grantOf}, before the secret is read. */
export function refuseUnlessGranted(secret: SecretFacts, endpoint: Endpoint, hosts: readonly AllowedHost[]): void {
	for (const check of checks) {
		const verdict = check({ secret, endpoint, hosts })
		if (verdict === 'granted') return
		if (verdict) throw refuse(verdict.reason, verdict.message)
	}
}

type Question = { secret: SecretFacts; endpoint: Endpoint; hosts: readonly AllowedHost[] }
type Verdict = 'granted' | { reason: 'SecretWithheld' | 'ConfigError'; message: string }
type Check = (question: Question) => Verdict | undefined

/**
 * The first check with a verdict decides. If no check has one, the secret may be sent: it and everything that determines its destination
 * come from the same source.
 */
const checks: readonly Check[] = [
	refuseOtherThanHttp,
	refuseUserInUrl,
	refuseOpenEnd,
	grantAllowedHost,
	grantKeyOfNamespace,
	refuseOtherSource,
	refuseTrustOfConfig,
]

function refuseOtherThanHttp({ endpoint: { field, url } }: Question): Verdict | undefined {
	if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return undefined
	return { reason: 'ConfigError', message: `${field}: must be an http or https URL` }
}

function refuseUserInUrl({ endpoint: { field, url } }: Question): Verdict | undefined {
	const { username, password } = new URL(url)
	if (username === '' && password === '') return undefined
	return { reason: 'ConfigError', message: `${field}: must be a URL without user and password` }
}

/** Rejects a URL with a query or fragment: the path of a call would become part of it, so the author could choose any path. */
function refuseOpenEnd({ endpoint: { field, url } }: Question): Verdict | undefined {
	if (!/[?#]/.test(url)) return undefined
	return { reason: 'ConfigError', message: `${field}: must be a URL without query and fragment` }
}

function grantAllowedHost({ endpoint, hosts }: Question): Verdict | undefined {
	return isAllowedHost(new URL(endpoint.url), hosts) ? 'granted' : undefined
}

/**
 * A key of the namespace needs no check: it is never sent, but only decrypts the response of Contrabass. A key of the environment must not
 * decrypt a response that an author could have written.
 */
function grantKeyOfNamespace({ secret: { name, source } }: Question): Verdict | undefined {
	return name === 'Contrabass encryption key' && source === 'namespace' ? 'granted' : undefined
}

function refuseOtherSource({ secret, endpoint }: Question): Verdict | undefined {
	return secret.source === endpoint.source ? undefined : withheld(secret, endpoint, endpoint.field)
}

/**
 * Rejects an endpoint for which the author chooses the trusted certificates, because the author could then impersonate every host. Without
 * TLS, certificates do not matter.
 */
function refuseTrustOfConfig({ secret, endpoint }: Question): Verdict | undefined {
	if (secret.source === 'namespace' || endpoint.trustField === undefined || !isEncrypted(endpoint)) return undefined
	return withheld(secret, endpoint, endpoint.trustField)
}

function withheld({ name, source, field }: SecretFacts, { url }: Endpoint, cause: string): Verdict {
	const from = source === 'environment' ? 'the environment of mgmt' : field
	const message = `${cause}: host ${new URL(url).host} is not in SECRET_ENDPOINT_HOSTS, and the ${name} comes from ${from}`
	return { reason: 'SecretWithheld', message }
}

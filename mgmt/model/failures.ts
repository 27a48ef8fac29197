import { Failure, isFailure, wordsOf } from '../../runtime/errors.ts'

/** The reasons why an OpenstackConfig is not Ready, each with what the user can do. Reasons are API, so they are never renamed. */
export const advice = {
	ConfigError: 'correct the OpenstackConfig, its Secrets or the settings of mgmt',
	ContrabassError: 'check contrabassEndpoint, openstackProviderID and the encryption key',
	KeystoneError: 'check user, password, domain and projectID of the provider',
	NeutronEndpointError: 'set openstackNeutronEndpoint, or openstackEndpointInterface and -Region to what the catalog has',
	NovaEndpointError: 'set openstackNovaEndpoint, or openstackEndpointInterface and -Region to what the catalog has',
	NeutronPortError: 'check Neutron; it is retried automatically',
	NeutronSubnetError: 'check Neutron; it is retried automatically',
	NovaError: 'check Nova; it is retried automatically',
	SubnetRequired: 'set subnetIDs, subnetID or subnetName',
	SubnetNotFound: 'correct the subnet in the OpenstackConfig',
	SubnetNotUnique: 'use subnetIDs instead of the name',
	ViolaReadError: 'check violaEndpoint, the token, k8sProviderID and the log of viola',
	ViolaPostError: 'check violaEndpoint, the token, k8sProviderID and the log of viola',
	VmNotFound: 'correct vmNames or vmIDs',
	VmNotUnique: 'use the id of the VM instead of its name',
	NodeNameInvalid: 'give the VM, or its metadata key, the name of its Kubernetes node',
	SecretWithheld: 'use one source for both, or add the host to that list',
	ProviderNotAllowed: 'name an allowed provider, or add this one there',
	Conflict: 'let only one OpenstackConfig, and only one VM, claim a node',
	TooManyPorts: 'detach ports: a node has at most 10 interfaces',
} as const
export type MgmtReason = keyof typeof advice

/** Replaces the advice if the remote system itself failed: the user must then check that system, not the parameters of the request. */
const askedInVain: Partial<Record<MgmtReason, string>> = {
	ContrabassError: 'check contrabassEndpoint and Contrabass; it is retried automatically',
	KeystoneError: 'check Keystone; it is retried automatically',
}

/** Creates an expected failure of a reconcile, which is retried. @param facts additional fields of the log line */
export function refuse(reason: MgmtReason, message: string, facts: Readonly<Record<string, unknown>> = {}): Failure<MgmtReason> {
	return new Failure(reason, message, { retry: true, facts })
}

/**
 * Runs one read or write of a remote system. Prefixes its error with what failed; the remote system's message is kept, and the URL is in
 * the facts.
 */
export async function saying<T>(reason: MgmtReason, what: string, work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (error) {
		if (!isFailure(error) || error.code in advice) throw error
		throw new Failure<MgmtReason>(reason, `${what}: ${briefly(error)}`, { retry: true, facts: { ...error.facts, cause: error.code } })
	}
}

/**
 * Returns the message of a failure with the host instead of the method and URL, because a status message has at most 256 characters:
 * `keystone.example.com answered 503: …`.
 */
export function briefly(error: Failure): string {
	const { method, url } = error.facts
	if (typeof url !== 'string' || !URL.canParse(url)) return wordsOf(error)
	return wordsOf(error).replace(`${method} ${url}`, new URL(url).host)
}

/** Returns what happens next after a failure, and what the user can do. */
export function nextAfter({ code, facts }: Failure<MgmtReason>): string {
	const todo = ('cause' in facts && askedInVain[code]) || advice[code]
	return code === 'ViolaPostError' ? `It is retried automatically; ${todo}` : `No changes were sent; ${todo}`
}

import { serverUrl } from './address.ts'
import type { Exec } from './schema.ts'
import type { Chosen } from './select.ts'

/** Checks the selected cluster and user as kubectl does; parts that are not used may be invalid. Pure. */

type Check = (chosen: Chosen) => string | undefined

/** The checks in order: the first fault is reported. */
const checks: readonly Check[] = [
	serverIsMissing,
	serverIsInvalid,
	authorityIsDoubled,
	authorityIsIgnored,
	proxyIsInvalid,
	certificateIsDoubled,
	keyIsDoubled,
	keyIsMissing,
	methodsAreTwo,
	pluginsAreTwo,
	pluginIsInvalid,
	providerIsUnknown,
	impersonatesNoUser,
]

/** @returns the fault with its field and never a value; undefined if the config is usable */
export function faultOf(chosen: Chosen): string | undefined {
	for (const check of checks) {
		const fault = check(chosen)
		if (fault) return fault
	}
	return undefined
}

function serverIsMissing({ cluster: { name, server } }: Chosen): string | undefined {
	return server === undefined ? `cluster ${name} has no server` : undefined
}

function serverIsInvalid({ cluster: { name, server = '' } }: Chosen): string | undefined {
	return serverUrl(server) ? undefined : `cluster ${name}: server must be a URL such as https://host:6443`
}

function authorityIsDoubled({ cluster }: Chosen): string | undefined {
	if (!cluster['certificate-authority'] || !cluster['certificate-authority-data']) return undefined
	return `cluster ${cluster.name} has both certificate-authority and certificate-authority-data; only one is allowed`
}

function authorityIsIgnored({ cluster }: Chosen): string | undefined {
	const authority = cluster['certificate-authority'] || cluster['certificate-authority-data']
	if (!authority || !cluster['insecure-skip-tls-verify']) return undefined
	return `cluster ${cluster.name} has a certificate authority and insecure-skip-tls-verify; only one is allowed`
}

function proxyIsInvalid({ cluster: { name, 'proxy-url': proxy } }: Chosen): string | undefined {
	if (proxy === undefined || (/^(https?|socks5):\/\//i.test(proxy) && URL.canParse(proxy))) return undefined
	return `cluster ${name}: proxy-url must start with http://, https:// or socks5://`
}

function certificateIsDoubled({ user }: Chosen): string | undefined {
	if (!user['client-certificate'] || !user['client-certificate-data']) return undefined
	return `user ${user.name} has both client-certificate and client-certificate-data; only one is allowed`
}

function keyIsDoubled({ user }: Chosen): string | undefined {
	if (!hasCertificate(user) || !user['client-key'] || !user['client-key-data']) return undefined
	return `user ${user.name} has both client-key and client-key-data; only one is allowed`
}

function keyIsMissing({ user }: Chosen): string | undefined {
	if (!hasCertificate(user) || user['client-key'] || user['client-key-data']) return undefined
	return `user ${user.name} has a client certificate without client-key or client-key-data`
}

function hasCertificate(user: Chosen['user']): boolean {
	return (user['client-certificate'] ?? user['client-certificate-data']) !== undefined
}

function methodsAreTwo({ user }: Chosen): string | undefined {
	const basic = user.username ?? (user.token && user.password)
	if (!basic || !(user.token ?? user.tokenFile)) return undefined
	return `user ${user.name} has a token and a password; only one is allowed`
}

function pluginsAreTwo({ user }: Chosen): string | undefined {
	return user.exec && user['auth-provider'] ? `user ${user.name} has both exec and auth-provider; only one is allowed` : undefined
}

function pluginIsInvalid({ user }: Chosen): string | undefined {
	const fault = user.exec ? pluginFault(user.exec) : undefined
	return fault && `user ${user.name}: exec.${fault}`
}

const versions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

function pluginFault({ apiVersion, command, env, interactiveMode }: Exec): string | undefined {
	if (command === undefined) return 'command is missing'
	if (apiVersion === undefined || !versions.includes(apiVersion)) return `apiVersion must be ${versions.join(' or ')}`
	if (env.some(({ name }) => name === '')) return 'env has an entry without a name'
	if (interactiveMode === undefined) return apiVersion === versions[0] ? 'interactiveMode is missing' : undefined
	if (!['Never', 'IfAvailable', 'Always'].includes(interactiveMode)) return 'interactiveMode must be Never, IfAvailable or Always'
	return undefined
}

/** kubectl has removed all other providers. */
function providerIsUnknown({ user: { name, 'auth-provider': provider } }: Chosen): string | undefined {
	if (!provider || provider.name === 'oidc') return undefined
	return `user ${name}: auth-provider must be oidc; kubectl supports no other since 1.26`
}

function impersonatesNoUser({ user }: Chosen): string | undefined {
	const { as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = user
	if (as !== undefined || (uid === undefined && groups.length === 0 && Object.keys(extra).length === 0)) return undefined
	return `user ${user.name} has as-uid, as-groups or as-user-extra without as`
}

import { readFile } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { parse } from 'yaml'
import * as z from 'zod'
import { Failure } from '../errors.ts'
import { faultsIn } from '../faults.ts'
import type { Credentials } from './credentials.ts'
import { bearerFromFile } from './in-cluster.ts'

const Cluster = z.object({
	server: z.url(),
	'certificate-authority': z.string().optional(),
	'certificate-authority-data': z.string().optional(),
	'insecure-skip-tls-verify': z.boolean().optional(),
	'tls-server-name': z.string().optional(),
	'proxy-url': z.string().optional(),
})

const User = z.object({
	token: z.string().optional(),
	tokenFile: z.string().optional(),
	'client-certificate': z.string().optional(),
	'client-certificate-data': z.string().optional(),
	'client-key': z.string().optional(),
	'client-key-data': z.string().optional(),
	username: z.string().optional(),
	password: z.string().optional(),
	as: z.string().optional(),
	exec: z.unknown().optional(),
	'auth-provider': z.unknown().optional(),
})

const Kubeconfig = z.object({
	'current-context': z.string().nullish(),
	clusters: z.array(z.object({ name: z.string(), cluster: Cluster })).nullish(),
	users: z.array(z.object({ name: z.string(), user: User.nullish() })).nullish(),
	contexts: z
		.array(
			z.object({
				name: z.string(),
				context: z.object({ cluster: z.string(), user: z.string().optional(), namespace: z.string().optional() }),
			}),
		)
		.nullish(),
})
type Kubeconfig = z.infer<typeof Kubeconfig>

/**
 * Credentials from kubeconfig files. Tokens, client certificates and passwords are read here; only `exec` and `auth-provider`
 * need `@kubernetes/client-node`, which is loaded then and only then.
 *
 * @param paths one path, or several with `:` between them; where a name stands in several, the first counts
 * @throws Failure CONFIG_INVALID with the file and the field that is wrong, never a value
 */
export async function credentialsFromKubeconfig(paths: string, context?: string): Promise<Credentials> {
	const files = await Promise.all(paths.split(delimiter).filter(Boolean).map(readKubeconfig))
	const wanted = context ?? files.map(file => file['current-context']).find(Boolean)
	const { cluster, user = {}, namespace } = select(files, wanted ?? '', paths)
	if (user.as) throw new Failure('CONFIG_INVALID', `kubeconfig ${paths}: user.as (acting as somebody else) is not supported`)
	const proxy = cluster['proxy-url']
	const server = cluster.server.replace(/\/$/, '')
	const common = { server, ...(namespace && { namespace }), ...(proxy && { proxy }), ...authorities(cluster) }
	const tls = await serverTls(cluster)
	if (user.exec === undefined && user['auth-provider'] === undefined) {
		return { ...common, tls: { ...tls, ...(await clientTls(user)) }, headers: identity(user) }
	}
	const { pluginCredentials } = await import('./kubeconfig-plugin.ts')
	const plugin = await pluginCredentials(alone(cluster, user))
	return { ...common, tls: { ...tls, ...plugin.tls }, headers: plugin.headers }
}

/** A kubeconfig of one context, for client-node. */
function alone(cluster: z.infer<typeof Cluster>, user: z.infer<typeof User>): string {
	const name = 'chosen'
	const contexts = [{ name, context: { cluster: name, user: name } }]
	return JSON.stringify({ 'current-context': name, contexts, clusters: [{ name, cluster }], users: [{ name, user }] })
}

async function readKubeconfig(path: string): Promise<Kubeconfig> {
	const text = await readFile(path, 'utf8').catch(cause => {
		throw new Failure('CONFIG_INVALID', `kubeconfig ${path} cannot be read`, { cause })
	})
	const parsed = Kubeconfig.safeParse(yaml(path, text))
	if (parsed.success) return absolutePaths(parsed.data, dirname(path))
	throw new Failure('CONFIG_INVALID', `kubeconfig ${path}: ${faultsIn(parsed.error)}`)
}

/** The parser's own words quote the text, and the text holds secrets: only the place is told. */
function yaml(path: string, text: string): unknown {
	try {
		return parse(text) ?? {}
	} catch (error) {
		const line = typeof error === 'object' && error !== null && 'linePos' in error ? JSON.stringify(error.linePos) : 'unknown place'
		throw new Failure('CONFIG_INVALID', `kubeconfig ${path} is not YAML at ${line}`)
	}
}

/** Paths in a kubeconfig are relative to that file. */
function absolutePaths(config: Kubeconfig, folder: string): Kubeconfig {
	for (const part of [...(config.clusters ?? []).map(entry => entry.cluster), ...(config.users ?? []).map(entry => entry.user ?? {})]) {
		const fields: Record<string, unknown> = part
		for (const name of ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile']) {
			const path = fields[name]
			if (typeof path === 'string' && !isAbsolute(path)) fields[name] = join(folder, path)
		}
	}
	return config
}

function select(files: readonly Kubeconfig[], wanted: string, paths: string) {
	const missing = (what: string) => new Failure('CONFIG_INVALID', `kubeconfig ${paths} has no ${what}`)
	const context = files.flatMap(file => file.contexts ?? []).find(entry => entry.name === wanted)?.context
	if (!context) throw missing(wanted ? `context ${wanted}` : 'current-context')
	const cluster = files.flatMap(file => file.clusters ?? []).find(entry => entry.name === context.cluster)?.cluster
	if (!cluster) throw missing(`cluster ${context.cluster}`)
	const login = files.flatMap(file => file.users ?? []).find(entry => entry.name === context.user)
	if (context.user && !login) throw missing(`user ${context.user}`)
	return { cluster, user: login?.user ?? undefined, namespace: context.namespace }
}

async function serverTls(cluster: z.infer<typeof Cluster>): Promise<Credentials['tls']> {
	const ca = await pem(cluster['certificate-authority-data'], cluster['certificate-authority'])
	return {
		...(ca && { ca }),
		...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
		...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
	}
}

function authorities(cluster: z.infer<typeof Cluster>): Pick<Credentials, 'authorities'> {
	const path = cluster['certificate-authority-data'] ? undefined : cluster['certificate-authority']
	return path ? { authorities: () => readPem(path) } : {}
}

async function clientTls(user: z.infer<typeof User>): Promise<Credentials['tls']> {
	const cert = await pem(user['client-certificate-data'], user['client-certificate'])
	const key = await pem(user['client-key-data'], user['client-key'])
	return cert && key ? { cert, key } : {}
}

async function pem(base64: string | undefined, path: string | undefined): Promise<string | undefined> {
	if (base64) return Buffer.from(base64, 'base64').toString('utf8')
	return path ? readPem(path) : undefined
}

function readPem(path: string): Promise<string> {
	return readFile(path, 'utf8').catch(cause => {
		throw new Failure('CONFIG_INVALID', `${path}, named in the kubeconfig, cannot be read`, { cause })
	})
}

function identity(user: z.infer<typeof User>): Credentials['headers'] {
	if (user.tokenFile) return bearerFromFile(user.tokenFile)
	const headers: Record<string, string> = {}
	if (user.token) headers.authorization = `Bearer ${user.token}`
	else if (user.username) headers.authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
	return async () => headers
}

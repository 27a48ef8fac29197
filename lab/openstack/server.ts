import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import {
	type AttachInput,
	addServer,
	attach,
	type Cloud,
	createCloud,
	deleteServer,
	detach,
	type NetworkInput,
	type Port,
	type Server,
	type ServerInput,
} from './cloud.ts'
import { type ContrabassPath, contrabassPaths, contrabassRoutes } from './contrabass.ts'
import { keystoneRoutes, type Realm, type Tokens, isTokenValid, unauthorized } from './keystone.ts'
import { neutronRoutes } from './neutron.ts'
import { novaRoutes } from './nova.ts'
import { recordListedPorts, type ListedPorts, portSeen } from './listed-ports.ts'

export type OpenstackOptions = {
	networks: readonly NetworkInput[]
	servers?: readonly ServerInput[]
	/** Default: 127.0.0.1 and a free port. */
	host?: string
	port?: number
	/** Host in the URLs that clients receive, if clients reach the server at another address. Default: `host`. */
	publicHost?: string
	/** The paths on which Contrabass is served. Default: both. */
	contrabassPaths?: readonly ContrabassPath[]
	/** Lifetime of a token in seconds. Default: 3600. */
	tokenSeconds?: number
	/** Maximum number of items that Neutron and Nova return in one page. Default: the default of each service. */
	pageSize?: number
}

export type ServiceName = 'contrabass' | 'keystone' | 'neutron' | 'nova'
/** An injected fault: the service delays its response, and if a status is given, returns it instead of handling the request. */
export type Fault = { status?: number; delayMs?: number }

/** The lab's running OpenStack. Ids and secrets are generated when it starts. */
export type Openstack = {
	/** URL of Contrabass, and of Keystone for clients that do not use Contrabass. */
	readonly contrabassUrl: string
	readonly keystoneUrl: string
	readonly providerId: string
	readonly projectId: string
	readonly encryptKey: string
	readonly user: string
	readonly password: string
	readonly cloud: Cloud
	attach(input: AttachInput): Port
	detach(portId: string): Port
	/** Resolves when Neutron has sent the first port list that contains this port: from then on, a polling client can know it. */
	portSeen(portId: string): Promise<void>
	addServer(input: ServerInput): Server
	deleteServer(nameOrId: string): void
	/** Makes a service fail until this is called with `undefined`. */
	setFault(service: ServiceName, fault: Fault | undefined): void
	/** All requests since the start, such as `GET /compute/v2.1/servers/detail?limit=…`. */
	readonly requests: readonly string[]
	/** Invalidates every token issued so far. */
	revokeTokens(): void
	stop(): Promise<void>
}

const roots: Record<ServiceName, string> = {
	contrabass: '/contrabass',
	keystone: '/identity',
	neutron: '/networking',
	nova: '/compute/v2.1',
}

/**
 * Starts Contrabass, Keystone, Neutron and Nova on one port, below the paths that DevStack uses. The server keeps the process alive until
 * `stop`.
 */
export async function startOpenstack(options: OpenstackOptions): Promise<Openstack> {
	const cloud = createCloud(options.networks, options.servers ?? [])
	const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 200 } })
	const faults = new Map<ServiceName, Fault>()
	const requests: string[] = []
	const tokens: Tokens = new Map()
	const seen: ListedPorts = new Map()
	let base = ''
	const url = (service: ServiceName) => `${base}${roots[service]}`
	const secrets = { password: randomBytes(12).toString('base64url'), encryptKey: randomBytes(8).toString('hex') }
	const ids = { projectId: randomUUID().replaceAll('-', ''), providerId: randomUUID(), user: 'admin' }
	const keystoneUrl = () => `${url('keystone')}/v3`
	const realm: Realm = {
		...ids,
		password: secrets.password,
		domain: 'default',
		tokenSeconds: options.tokenSeconds ?? 3600,
		endpoints: () => ({ identity: `${keystoneUrl()}/`, network: `${url('neutron')}/`, compute: url('nova') }),
	}
	const provider = { id: ids.providerId, keystoneUrl, adminId: ids.user, adminPassword: secrets.password, domain: 'default', ...secrets }
	const services: Record<ServiceName, (scope: FastifyInstance) => void> = {
		contrabass: scope => contrabassRoutes(scope, provider, options.contrabassPaths ?? contrabassPaths),
		keystone: scope => keystoneRoutes(scope, realm, tokens),
		neutron: scope => neutronRoutes(recordListedPorts(guard(scope, tokens), seen), cloud, ids.projectId, options.pageSize),
		nova: scope => novaRoutes(guard(scope, tokens), cloud, ids.projectId, options.pageSize),
	}
	app.addHook('onRequest', async ({ method, url }) => void requests.push(`${method} ${url}`))
	for (const name of Object.keys(roots) as ServiceName[])
		await app.register(async scope => services[name](failable(scope, name, faults)), { prefix: roots[name] })
	base = withHost(await app.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 }), options.publicHost)
	return {
		...ids,
		...secrets,
		...controls(cloud, faults),
		contrabassUrl: url('contrabass'),
		keystoneUrl: keystoneUrl(),
		cloud,
		requests,
		portSeen: portId => portSeen(seen, portId),
		revokeTokens: () => tokens.clear(),
		stop: () => app.close(),
	}
}

function withHost(origin: string, host: string | undefined): string {
	const url = new URL(origin)
	if (host !== undefined) url.hostname = host
	return url.origin
}

function controls(cloud: Cloud, faults: Map<ServiceName, Fault>) {
	return {
		attach: (input: AttachInput) => attach(cloud, input),
		detach: (portId: string) => detach(cloud, portId),
		addServer: (input: ServerInput) => addServer(cloud, input),
		deleteServer: (nameOrId: string) => deleteServer(cloud, nameOrId),
		setFault: (service: ServiceName, fault: Fault | undefined) => void (fault ? faults.set(service, fault) : faults.delete(service)),
	}
}

/** The body that a real Neutron returned while Keystone was down. A proxy in front of Neutron would return less. */
const unavailable = {
	message: 'The server is currently unavailable. Please try again at a later time.',
	code: '503 Service Unavailable',
	title: 'Service Unavailable',
}

function failable(scope: FastifyInstance, name: ServiceName, faults: Map<ServiceName, Fault>): FastifyInstance {
	scope.addHook('onRequest', async (_, reply) => {
		const fault = faults.get(name)
		if (fault?.delayMs) await delay(fault.delayMs)
		if (fault?.status !== undefined) return reply.code(fault.status).send(fault.status === 401 ? unauthorized : unavailable)
	})
	return scope
}

function guard(scope: FastifyInstance, tokens: Tokens): FastifyInstance {
	scope.addHook('onRequest', async ({ headers }, reply) => {
		if (!isTokenValid(tokens, headers['x-auth-token'])) return reply.code(401).send(unauthorized)
	})
	return scope
}

import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NodeName } from '../contract/primitives.ts'
import { NODE_CONFIGS_PATH, type NodeConfigList, type NodeConfigView, PROVIDER_HEADER } from '../contract/viola-api.ts'
import { Failure } from '../runtime/errors.ts'
import { faultsIn } from '../runtime/faults.ts'
import { createHttpServer } from '../runtime/http-server.ts'
import { isKubeFailure } from '../runtime/kube/index.ts'
import type { Log } from '../runtime/log.ts'
import type { TokenSource } from '../runtime/token-file.ts'
import { applyNodeConfigs } from './apply.ts'
import type { Cluster } from './cluster.ts'
import { failures, type ViolaCode } from './failures.ts'
import { view } from './manifest.ts'

export type RouteOptions = {
	token: TokenSource
	/**
	 * Runs a request on the cluster of a provider, which stays open until the request has ended.
	 *
	 * @throws Failure UNKNOWN_PROVIDER, BAD_REQUEST if there is no provider id, or CLUSTER_UNREACHABLE if its credentials cannot be used
	 */
	withCluster<T>(providerId: string | undefined, act: (cluster: Cluster) => Promise<T>): Promise<T>
	log: Log
}

type ByNode = { Params: { nodeName: string } }

/** Maximum size of a body (bytes): about 5,000 nodes with ten interfaces each. */
const BODY_LIMIT = 16 << 20

/**
 * Creates the HTTP server, which authenticates a request, finds its cluster, parses the body, and responds. Errors are `{ error: { code,
 * message } }`.
 */
export function createViola({ token, withCluster, log }: RouteOptions): FastifyInstance {
	const app = createHttpServer({ log, bodyLimitBytes: BODY_LIMIT, statusOf })
	const inCluster = <T>({ headers }: FastifyRequest, act: (cluster: Cluster) => Promise<T>) =>
		withCluster(headers[PROVIDER_HEADER]?.toString(), act)
	app.register(async api => {
		api.addHook('onRequest', async request => signIn(request, token()))
		api.post(NODE_CONFIGS_PATH, async (request, reply) => {
			const { status, body } = await inCluster(request, async cluster => {
				const answer = await applyNodeConfigs(cluster, request.body, goneOf(reply))
				const { applied, results, errors } = answer.body
				const failed = errors.map(({ nodeName, code }) => ({ nodeName, code }))
				log.info({ providerId: cluster.providerId, applied, results: counted(results), errors: failed }, 'node configs applied')
				return answer
			})
			return reply.code(status).send(body)
		})
		api.get(NODE_CONFIGS_PATH, async (request): Promise<NodeConfigList> => {
			const objects = await inCluster(request, cluster => cluster.list())
			return { items: objects.map(view) }
		})
		api.get<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, async (request): Promise<NodeConfigView> => {
			const nodeName = nodeIn(request)
			return view((await inCluster(request, cluster => cluster.find(nodeName))) ?? unknownNode(nodeName))
		})
		api.delete<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, async request => {
			const nodeName = nodeIn(request)
			return inCluster(request, async cluster => {
				const status = (await cluster.remove(nodeName)) ? 'deleted' : 'absent'
				log.info({ providerId: cluster.providerId, nodeName, status }, 'node config deleted')
				return { nodeName, status }
			})
		})
	})
	return app
}

/** Returns a signal that is aborted when the connection closes. Fastify's own signal is already aborted once the body has been read. */
function goneOf({ raw }: FastifyReply): AbortSignal {
	const gone = new AbortController()
	raw.once('close', () => gone.abort())
	return gone.signal
}

function nodeIn({ params }: FastifyRequest<ByNode>): string {
	const parsed = NodeName.safeParse(params.nodeName.toLowerCase())
	if (parsed.success) return parsed.data
	throw new Failure<ViolaCode>('BAD_REQUEST', faultsIn(parsed.error, { whole: 'the last part of the path' }))
}

/** Authenticates a request. Compares digests, so that the duration reveals nothing about the token. */
function signIn({ headers }: FastifyRequest, token: string): void {
	const sent = /^Bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''
	const digest = (text: string) => createHash('sha256').update(text).digest()
	if (!timingSafeEqual(digest(sent), digest(token)))
		throw new Failure<ViolaCode>('TOKEN_REFUSED', sent === '' ? 'bearer token required' : 'the bearer token is invalid')
}

function statusOf(failure: Failure): number {
	if (failure.code in failures) return failures[failure.code as ViolaCode]
	if (isKubeFailure(failure, 'INVALID', 'BAD_REQUEST')) return 422
	return 503
}

function unknownNode(nodeName: string): never {
	throw new Failure<ViolaCode>('UNKNOWN_NODE', `there is no node config of ${nodeName} in this cluster`)
}

function counted(results: readonly { status: string }[]): Record<string, number> {
	const groups = Map.groupBy(results, ({ status }) => status)
	return Object.fromEntries([...groups].map(([status, items]) => [status, items.length]))
}

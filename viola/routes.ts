import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NodeName } from '../contract/primitives.ts'
import { NODE_CONFIGS_PATH, type NodeConfigList, type NodeConfigView, PROVIDER_HEADER } from '../contract/viola-api.ts'
import { addAuth } from '../runtime/auth/add-auth.ts'
import type { Auth } from '../runtime/auth/auth.ts'
import { Failure } from '../runtime/errors.ts'
import { faultsIn } from '../runtime/faults.ts'
import { createHttpServer, type HttpServerOptions } from '../runtime/http-server.ts'
import { isKubeFailure } from '../runtime/kube/index.ts'
import type { Log } from '../runtime/log.ts'
import { applyNodeConfigs } from './apply.ts'
import type { Cluster } from './cluster.ts'
import { failures, type ViolaCode } from './failures.ts'
import { view } from './manifest.ts'

export type RouteOptions = {
	auth: Auth
	/** Certificate and key; without them, plain HTTP is used. */
	tls?: HttpServerOptions['tls']
	/** @throws Failure UNKNOWN_PROVIDER, or BAD_REQUEST if there is no provider id */
	clusterOf(providerId: string | undefined): Promise<Cluster>
	log: Log
}

type ByNode = { Params: { nodeName: string } }

/** Maximum size of a body (bytes): 1,000 nodes with ten interfaces each take 1.5 MiB. */
const BODY_LIMIT = 4 << 20

/**
 * Creates the HTTP server, which authenticates a request, finds its cluster, parses the body, and responds. Errors are `{ error: { code,
 * message } }`.
 */
export function createViola({ auth, tls, clusterOf, log }: RouteOptions): FastifyInstance {
	const app = createHttpServer({ log, bodyLimitBytes: BODY_LIMIT, statusOf, tls })
	const cluster = (request: FastifyRequest) => clusterOf(providerIn(request))
	app.register(async api => {
		await addAuth(api, auth, log)
		api.addHook('onRequest', async request => {
			const providerId = providerIn(request)
			// without a provider, the request is rejected later and reaches no cluster
			if (providerId) await auth.require(request.caller, isRead(request) ? 'read' : 'write', providerId)
		})
		api.post(NODE_CONFIGS_PATH, async (request, reply) => {
			const target = await cluster(request)
			const { status, body } = await applyNodeConfigs(target, request.body, goneOf(reply))
			const errors = body.errors.map(({ nodeName, code }) => ({ nodeName, code }))
			request.log.info(
				{ providerId: target.providerId, applied: body.applied, results: counted(body.results), errors },
				'node configs applied',
			)
			return reply.code(status).send(body)
		})
		api.get(NODE_CONFIGS_PATH, async (request): Promise<NodeConfigList> => {
			const objects = await (await cluster(request)).list()
			return { items: objects.map(view) }
		})
		api.get<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, async (request): Promise<NodeConfigView> => {
			const nodeName = nodeIn(request)
			return view((await (await cluster(request)).find(nodeName)) ?? unknownNode(nodeName))
		})
		api.delete<ByNode>(`${NODE_CONFIGS_PATH}/:nodeName`, async request => {
			const nodeName = nodeIn(request)
			const target = await cluster(request)
			const status = (await target.remove(nodeName)) ? 'deleted' : 'absent'
			request.log.info({ providerId: target.providerId, nodeName, status }, 'node config deleted')
			return { nodeName, status }
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

function providerIn({ headers }: FastifyRequest): string | undefined {
	return headers[PROVIDER_HEADER]?.toString()
}

function isRead({ method }: FastifyRequest): boolean {
	return method === 'GET' || method === 'HEAD'
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

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Cloud, Server } from './cloud.ts'
import { serverJson } from './shapes.ts'

type Query = { limit?: string; marker?: string; name?: string }

const NEWEST = 93

/**
 * Serves Nova's read API at microversions 2.1 and 2.93 (which is `latest` here), newest server first, in pages.
 *
 * @param pageSize `[api] max_limit`
 */
export function novaRoutes(app: FastifyInstance, cloud: Cloud, projectId: string, pageSize = 1000): void {
	const json = (request: FastifyRequest, server: Server) => {
		const url = `${request.protocol}://${request.host}${request.url.replace(/\/servers.*$/, '')}`
		return serverJson(server, { projectId, url, addresses: addressesOf(cloud, server), newer: microversion(request) === NEWEST })
	}
	app.addHook('onRequest', async (request, reply) => {
		const minor = microversion(request)
		reply.header('OpenStack-API-Version', `compute 2.${minor}`)
		if (minor > NEWEST) {
			const message = `Version 2.${minor} is not supported by the API. Minimum is 2.1 and maximum is 2.${NEWEST}.`
			return fault(reply, 406, 'computeFault', message)
		}
	})
	app.get<{ Querystring: Query }>('/servers/detail', (request, reply) => {
		const { limit, marker, name } = request.query
		const newestFirst = cloud.servers.toReversed()
		const start = marker === undefined ? 0 : newestFirst.findIndex(({ id }) => id === marker) + 1
		if (marker !== undefined && start === 0) return fault(reply, 400, 'badRequest', `marker [${marker}] not found`)
		const matching = newestFirst.slice(start).filter(server => name === undefined || new RegExp(name).test(server.name))
		const page = matching.slice(0, Math.min(Number(limit ?? pageSize), pageSize))
		const more = page.length < matching.length
		const href = `${request.protocol}://${request.host}${request.url.split('?')[0]}?limit=${limit ?? pageSize}&marker=${page.at(-1)?.id}`
		return { servers: page.map(server => json(request, server)), ...(more && { servers_links: [{ rel: 'next', href }] }) }
	})
	app.get<{ Params: { id: string } }>('/servers/:id', (request, reply) => {
		const server = cloud.servers.find(({ id }) => id === request.params.id)
		if (!server) return fault(reply, 404, 'itemNotFound', `Instance ${request.params.id} could not be found.`)
		return { server: json(request, server) }
	})
	app.setNotFoundHandler((_, reply) => fault(reply, 404, 'itemNotFound', 'The resource could not be found.'))
}

/** Returns the addresses by network name and without port ids, as Nova returns them from its cache of Neutron. */
function addressesOf({ networks, ports }: Cloud, server: Server): Record<string, unknown> {
	const own = ports.filter(({ serverId }) => serverId === server.id)
	const used = networks.filter(({ id }) => own.some(({ networkId }) => networkId === id))
	return Object.fromEntries(
		used.map(({ id, name }) => [
			name,
			own
				.filter(({ networkId }) => networkId === id)
				.flatMap(({ mac, fixedIps }) =>
					fixedIps.map(({ address }) => ({
						version: address.includes(':') ? 6 : 4,
						addr: address,
						'OS-EXT-IPS:type': 'fixed',
						'OS-EXT-IPS-MAC:mac_addr': mac,
					})),
				),
		]),
	)
}

function microversion({ headers }: FastifyRequest): number {
	const [, asked = '2.1'] = String(headers['openstack-api-version'] ?? 'compute 2.1').split(' ')
	return asked === 'latest' ? NEWEST : Number(asked.split('.')[1])
}

function fault(reply: FastifyReply, code: number, kind: string, message: string): FastifyReply {
	return reply.code(code).send({ [kind]: { code, message } })
}

import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Cloud } from './cloud.ts'
import { networkJson, portJson, subnetJson } from './shapes.ts'

type Json = Record<string, unknown>
type Query = Record<string, string | string[]>
type Collection = { one: string; many: string; type: string; rows(): Json[] }

const controls = new Set(['limit', 'marker', 'fields', 'sort_key', 'sort_dir', 'page_reverse'])

/**
 * Serves Neutron's read API: filters (a repeated key matches any of its values), `fields`, and pages with `ports_links`.
 *
 * @param pageSize `pagination_max_limit`, which also applies to clients that request no limit; 0: no maximum, which is Neutron's default
 */
export function neutronRoutes(app: FastifyInstance, cloud: Cloud, projectId: string, pageSize = 0): void {
	const collections: Collection[] = [
		{ one: 'port', many: 'ports', type: 'Port', rows: () => cloud.ports.map(port => portJson(port, projectId)) },
		{ one: 'subnet', many: 'subnets', type: 'Subnet', rows: () => cloud.subnets.map(subnet => subnetJson(subnet, projectId)) },
		{ one: 'network', many: 'networks', type: 'Network', rows: () => cloud.networks.map(it => networkJson(it, cloud.subnets, projectId)) },
	]
	for (const collection of collections) {
		app.get<{ Querystring: Query }>(`/v2.0/${collection.many}`, (request, reply) => {
			const url = `${request.protocol}://${request.host}${request.url.split('?')[0]}`
			return list({ ...collection, pageSize }, request.query, url, reply)
		})
		app.get<{ Params: { id: string } }>(`/v2.0/${collection.many}/:id`, ({ params }, reply) => {
			const found = collection.rows().find(({ id }) => id === params.id)
			return found ? { [collection.one]: found } : notFound(reply, collection.type, params.id)
		})
	}
	app.setNotFoundHandler((_, reply) => neutronError(reply, 404, 'HTTPNotFound', 'The resource could not be found.'))
}

function list({ many, type, rows, pageSize }: Collection & { pageSize: number }, query: Query, url: string, reply: FastifyReply): unknown {
	const all = rows().sort((a, b) => String(a.id).localeCompare(String(b.id)))
	const unknown = Object.keys(query).filter(key => !controls.has(key) && !(key in example(many)))
	if (unknown.length > 0) {
		const names = unknown.map(name => `'${name}'`).join(', ')
		return neutronError(reply, 400, 'HTTPBadRequest', `[${names}] is invalid attribute for filtering`)
	}
	const marker = query.marker as string | undefined
	if (marker !== undefined && !all.some(({ id }) => id === marker)) return notFound(reply, type, marker)
	const matching = all.filter(row => matches(row, query)).filter(({ id }) => marker === undefined || String(id) > marker)
	const asked = Number(query.limit ?? Number.POSITIVE_INFINITY)
	const limit = Math.min(asked, pageSize || Number.POSITIVE_INFINITY)
	const page = matching.slice(0, limit)
	return {
		[many]: page.map(row => pick(row, query.fields)),
		...(limit < Number.POSITIVE_INFINITY && { [`${many}_links`]: links(page, limit, query, url) }),
	}
}

/** Returns an item with all attributes: Neutron can filter by every attribute that it returns. */
function example(many: string): Json {
	const fixed = { createdAt: '', id: '', name: '', networkId: '' }
	if (many === 'ports') return portJson({ ...fixed, mac: '', status: '', serverId: '', fixedIps: [], updatedAt: '', revision: 0 }, '')
	return many === 'subnets' ? subnetJson({ ...fixed, cidr: '' }, '') : networkJson({ ...fixed, mtu: 0 }, [], '')
}

function matches(row: Json, query: Query): boolean {
	return Object.entries(query).every(([key, value]) => {
		if (controls.has(key)) return true
		const wanted = [value].flat()
		return key === 'fixed_ips' ? wanted.some(text => hasFixedIp(row, text)) : wanted.includes(String(row[key]))
	})
}

function hasFixedIp(row: Json, text: string): boolean {
	const [key = '', value] = text.split('=')
	return (row.fixed_ips as Json[]).some(ip => ip[key] === value)
}

function pick(row: Json, fields: string | string[] | undefined): Json {
	if (fields === undefined) return row
	const wanted = [fields].flat()
	return Object.fromEntries(Object.entries(row).filter(([key]) => wanted.includes(key)))
}

/** Returns the links to the next and previous page. A page that is exactly full links to a next one, even if that will be empty. */
function links(page: readonly Json[], limit: number, query: Query, url: string): Json[] {
	const href = (marker: unknown, reverse: boolean) => {
		const pairs = Object.entries({ ...query, marker: String(marker), ...(reverse && { page_reverse: 'True' }) })
		return `${url}?${pairs.flatMap(([key, value]) => [value].flat().map(text => `${key}=${encodeURIComponent(text)}`)).join('&')}`
	}
	const next = page.length === limit && page.length > 0 ? [{ rel: 'next', href: href(page.at(-1)?.id, false) }] : []
	return [...next, ...(page[0] ? [{ rel: 'previous', href: href(page[0].id, true) }] : [])]
}

function notFound(reply: FastifyReply, type: string, id: string): FastifyReply {
	return neutronError(reply, 404, `${type}NotFound`, `${type} ${id} could not be found.`)
}

function neutronError(reply: FastifyReply, status: number, type: string, message: string): FastifyReply {
	return reply.code(status).send({ NeutronError: { type, message, detail: '' } })
}

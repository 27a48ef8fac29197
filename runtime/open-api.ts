import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { stringify } from 'yaml'
import * as z from 'zod'
import { type ApiDocument, apiPage } from './api-page.ts'
import { rejected } from './http-errors.ts'

export type OpenApiOptions = {
	title: string
	description: string
	version: string
	/** Whether path parameters and queries are validated by the schemas, and not by the handlers. */
	isValidating: boolean
}

/**
 * Describes the routes that are added afterwards, from their zod schemas: `/openapi.json`, `/openapi.yaml`, and `/docs` as one page without
 * scripts. They need no authentication.
 *
 * A body is always parsed by its handler, because one invalid item must not affect the others. Responses are written as they are, because a response that differs from its schema would become an error.
 */
export async function addOpenApi(app: FastifyInstance, { isValidating, ...info }: OpenApiOptions): Promise<void> {
	app.addHook('onRoute', route => {
		const { schema } = route
		if (!schema?.hide) route.schema = { ...schema, response: { ...Object(schema?.response), ...commonResponses(route.method) } }
	})
	app.setValidatorCompiler(({ schema, httpPart }) => (isValidating && httpPart !== 'body' ? validator(schema) : value => ({ value })))
	app.setSerializerCompiler(() => value => JSON.stringify(value))
	await app.register(swagger, {
		openapi: {
			openapi: '3.1.0',
			info,
			components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
			security: [{ bearer: [] }],
		},
		transform: jsonSchemaTransform,
	})
	const hidden: FastifySchema = { hide: true }
	const document = () => app.swagger() as ApiDocument
	app.get('/openapi.json', { schema: hidden }, async () => document())
	app.get('/openapi.yaml', { schema: hidden }, async (_, reply) => reply.type('application/yaml').send(yamlOf(document())))
	app.get('/docs', { schema: hidden }, async (_, reply) =>
		reply.type('text/html').header('content-security-policy', PAGE_POLICY).send(apiPage(document())),
	)
}

/** The body of every error response. */
export const ErrorResponse = z
	.object({
		error: z.object({
			code: z.string(),
			message: z.string(),
			requestId: z.string().describe('Is in every log line of the request'),
			faults: z
				.array(z.object({ path: z.string(), message: z.string() }))
				.optional()
				.describe('The faults of the input'),
		}),
	})
	.describe('An error')

/** Returns the responses that every route has. */
function commonResponses(method: string | string[]): object {
	const isRead = [method].flat().includes('GET')
	return { ...(isRead && { 304: z.undefined().describe('Not modified') }), default: ErrorResponse }
}

/** Returns the response of a route that also has another form, such as CSV. */
export function withForms(schema: z.ZodType, ...types: readonly string[]): object {
	const text = z.string()
	const forms = types.map((type): [string, { schema: z.ZodType }] => [type, { schema: text }])
	return { description: schema.description ?? '', content: { 'application/json': { schema }, ...Object.fromEntries(forms) } }
}

/** The page has only its own styles. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

/** Returns the document as it is committed to the repository. */
export function yamlOf(document: ApiDocument): string {
	return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })
}

function validator(schema: unknown) {
	if (!(schema instanceof z.ZodType)) return (value: unknown) => ({ value })
	return (value: unknown) => {
		const parsed = schema.safeParse(value)
		return parsed.success ? { value: parsed.data } : { error: rejected(parsed.error) }
	}
}

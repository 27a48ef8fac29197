import * as z from 'zod'
import { isFailure } from '../../runtime/errors.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import { isPathSegment } from '../../runtime/path-segment.ts'
import { createSecret, type Grant, reveal, type Secret } from '../disclosure/decide.ts'
import { stricterOf } from '../model/origin.ts'
import { refuse, saying } from '../model/failures.ts'
import { decrypt } from './decrypt.ts'
import { RemoteUrl, Word } from './word.ts'

const Provider = z.object({
	data: z.object({
		url: RemoteUrl.pipe(z.url()),
		attributes: z.object({ adminId: Word.min(1), adminPw: z.string().min(1).max(8_192), domain: Word.min(1).default('default') }),
	}),
})

/** The path that the systems in production use comes first, then the path in the first documents. */
const paths = ['/v1/contrabass/admin/infra/provider/', '/api/providers/'] as const

/** `key`: the encryption key, for the endpoint of Contrabass. */
type Question = { key: Grant; openstackProviderId: string; timeoutMs: number }
/** The URL of Keystone, and the account that signs in there. */
type Account = { url: string; user: string; domain: string; password: Secret }

/**
 * Reads the provider from Contrabass. The key is not sent, but it decrypts the response, so the response must come from an endpoint to
 * which the key may be sent.
 *
 * @throws Failure ContrabassError or ConfigError
 */
export async function readProvider(http: HttpClient, question: Question): Promise<Account> {
	const { key, openstackProviderId: id } = question
	if (!isPathSegment(id))
		throw refuse('ConfigError', `${ID_FIELD}: ${JSON.stringify(id)} must not be "." or "..", and must not have "/" or "%"`)
	const { data } = await saying('ContrabassError', 'the provider could not be read from Contrabass', () => ask(http, question))
	const { adminId: user, adminPw, domain } = data.attributes
	const password = createSecret('password', stricterOf(key.endpoint, key.secret), decrypt(adminPw, reveal(key)))
	return { url: data.url, user, domain, password }
}

const ID_FIELD = 'spec.credentials.openstackProviderID'

async function ask(http: HttpClient, { key, openstackProviderId: id, timeoutMs }: Question) {
	const { url } = key.endpoint
	for (const path of paths) {
		try {
			return (await http.call({ url: `${url}${path}${encodeURIComponent(id)}`, schema: Provider, timeoutMs })).body
		} catch (error) {
			if (!isFailure(error, 'NOT_FOUND')) throw error
		}
	}
	throw refuse('ContrabassError', `Contrabass at ${new URL(url).host} has no provider ${id}`)
}

import * as z from 'zod'
import { isFailure } from '../../runtime/errors.ts'
import type { HttpClient } from '../../runtime/http-client.ts'
import { refuse, saying } from '../failures.ts'
import type { Remote } from '../settings.ts'
import { decrypt } from './decrypt.ts'
import type { Login } from './keystone.ts'

const Provider = z.object({
	data: z.object({
		url: z.url(),
		attributes: z.object({ adminId: z.string().min(1), adminPw: z.string().min(1), domain: z.string().min(1).default('default') }),
	}),
})

/** The path of the running systems first, then the one of the first documents. */
const paths = ['/v1/contrabass/admin/infra/provider/', '/api/providers/'] as const

/** Asks Contrabass where an OpenStack is and who may sign in there. @throws Failure ContrabassError */
export async function readProvider(
	http: HttpClient,
	remote: Remote & { openstackProviderId: string },
	encryptKey: string,
): Promise<Omit<Login, 'projectId'>> {
	const { data } = await saying('ContrabassError', 'the provider could not be read from Contrabass', () => ask(http, remote))
	const { adminId: user, adminPw, domain } = data.attributes
	return { url: data.url, user, domain, password: decrypt(adminPw, encryptKey) }
}

async function ask(http: HttpClient, { url, openstackProviderId: id, timeoutMs }: Remote & { openstackProviderId: string }) {
	for (const path of paths) {
		try {
			return (await http.call({ url: `${url}${path}${encodeURIComponent(id)}`, schema: Provider, timeoutMs })).body
		} catch (error) {
			if (!isFailure(error, 'NOT_FOUND')) throw error
		}
	}
	throw refuse('ContrabassError', `Contrabass at ${new URL(url).host} knows no provider ${id}`)
}

import { parse } from 'yaml'
import * as z from 'zod'
import { faultsIn } from '../faults.ts'
import { accesses } from './access.ts'

/** Name of the client whose token is set in the environment. */
export const DEFAULT_CLIENT = 'default'

/** A client in the clients file. */
export const Client = z.strictObject({
	name: z
		.string()
		.regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'must be 1 to 63 letters, digits, ".", "_" or "-", and start with a letter or digit')
		.refine(
			name => name !== DEFAULT_CLIENT,
			`must not be "${DEFAULT_CLIENT}", the name of the client whose token is set in the environment`,
		)
		.describe('Its name in log lines and in the history'),
	sha256: z
		.string()
		.regex(/^[0-9a-f]{64}$/i, 'must be the SHA-256 digest of the token: 64 hexadecimal digits')
		.toLowerCase()
		.describe('Digest of its token'),
	may: z.enum(accesses, `must be ${accesses.join(', ')}`).describe('write includes read, admin includes both'),
	providers: z.array(z.string().min(1).max(253)).min(1).max(1_000).describe('Provider ids, or "*" for all'),
})
export type Client = z.infer<typeof Client>

const Clients = z.array(Client).max(1_000)

/**
 * Parses the clients file.
 *
 * @throws Error that lists all faults. It contains no digest.
 */
export function parseClients(text: string): readonly Client[] {
	const document: unknown = parse(text, { prettyErrors: false })
	const parsed = Clients.safeParse(document)
	const issues = [...(parsed.error?.issues ?? []), ...repeats(document, 'name'), ...repeats(document, 'sha256')]
	if (parsed.success && issues.length === 0) return parsed.data
	throw new Error(faultsIn({ issues }, { whole: 'the file' }))
}

/** Returns a fault for each client whose field has the value of an earlier client. */
function repeats(document: unknown, field: 'name' | 'sha256'): { path: PropertyKey[]; message: string }[] {
	const values = (Array.isArray(document) ? document : []).map(entry => Object(entry)[field] as unknown)
	return values.flatMap((value, at) => {
		const first = values.indexOf(value)
		return first === at || value === undefined ? [] : [{ path: [at, field], message: `must be unique, but [${first}] has the same value` }]
	})
}

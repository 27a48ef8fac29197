import * as z from 'zod'
import { Bool, readEnv } from '../env.ts'
import { type CertificatePair, TlsDirectory } from '../http-socket.ts'
import { FixedToken, TokenFile, type TokenSource } from '../token-file.ts'
import { type FileSource, filePath } from '../watched-file.ts'
import { type Client, parseClients } from './clients.ts'

/** How a server authenticates its clients. */
export type AuthSettings =
	| { readonly isOff: true }
	| {
			readonly isOff: false
			readonly token: TokenSource | undefined
			readonly clients: FileSource<readonly Client[]> | undefined
			readonly usesKubernetes: boolean
	  }

/** The configuration of a server's access: how clients authenticate, and its certificate if it uses TLS. */
export type AccessSettings = { readonly auth: AuthSettings; readonly tls: FileSource<CertificatePair> | undefined }

/** The variables, without the prefix of their server. */
const Variables = z.object({
	AUTH: z.literal('none', 'must be "none", or not set').optional().describe('"none" switches authentication off'),
	TOKEN: FixedToken.optional().describe('Token of the client "default", which may do everything'),
	TOKEN_FILE: TokenFile.optional().describe('File with that token, such as a mounted Secret; read again when it changes'),
	CLIENTS: filePath(parseClients)
		.optional()
		.describe('File (YAML) with the other clients: [{ name, sha256, may, providers }]; read again when it changes'),
	KUBE_AUTH: Bool.default(false).describe('Accept tokens of service accounts with the audience "multinic" (needs system:auth-delegator)'),
	TLS_DIR: TlsDirectory.optional().describe('Directory with tls.crt and tls.key; without it, plain HTTP is used'),
})
type Variables = z.output<typeof Variables>

/** Returns the variables of one server, such as `VIOLA_TOKEN` for the prefix `VIOLA`. */
export function accessVariables(prefix: string): Record<string, z.ZodType> {
	return Object.fromEntries(Object.entries(Variables.shape).map(([name, schema]) => [`${prefix}_${name}`, schema]))
}

/** Returns the schema of the variables of one server. */
export function accessEnv(prefix: string): z.ZodType<AccessSettings> {
	return z
		.object(accessVariables(prefix))
		.refine(values => faultIn(withoutPrefix(values, prefix), prefix) === undefined, {
			error: ({ input }) => faultIn(withoutPrefix(Object(input), prefix), prefix) ?? '',
			when: () => true, // also evaluated if another variable is invalid, so that all errors are reported together
		})
		.transform(values => settings(withoutPrefix(values, prefix)))
}

/** @throws Failure CONFIG_INVALID with all faults, each with its variable or file, and without any token */
export function readAccess(prefix: string, env: Readonly<Record<string, string | undefined>>): AccessSettings {
	return readEnv(accessEnv(prefix), env)
}

function withoutPrefix(values: Record<string, unknown>, prefix: string): Variables {
	return Object.fromEntries(Object.entries(values).map(([name, value]) => [name.slice(prefix.length + 1), value])) as Variables
}

function faultIn({ AUTH, TOKEN, TOKEN_FILE, CLIENTS, KUBE_AUTH }: Variables, prefix: string): string | undefined {
	const hasWay = TOKEN !== undefined || TOKEN_FILE !== undefined || CLIENTS !== undefined || KUBE_AUTH
	if (AUTH === 'none' && hasWay) return `${prefix}_AUTH=none excludes ${ways(prefix)}`
	if (AUTH !== 'none' && !hasWay) return `${ways(prefix)} is required: all requests must be authenticated, except with ${prefix}_AUTH=none`
	return undefined
}

function ways(prefix: string): string {
	return `${prefix}_TOKEN, ${prefix}_TOKEN_FILE, ${prefix}_CLIENTS or ${prefix}_KUBE_AUTH=true`
}

function settings({ AUTH, TOKEN, TOKEN_FILE, CLIENTS, KUBE_AUTH, TLS_DIR }: Variables): AccessSettings {
	if (AUTH === 'none') return { auth: { isOff: true }, tls: TLS_DIR }
	return { auth: { isOff: false, token: TOKEN ?? TOKEN_FILE, clients: CLIENTS, usesKubernetes: KUBE_AUTH }, tls: TLS_DIR }
}

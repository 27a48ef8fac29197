import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { checkServerIdentity, createSecureContext } from 'node:tls'
import { Failure } from '../../errors.ts'
import type { Certificate, Credentials } from './credentials.ts'
import type { Chosen } from './select.ts'

/** The certificates that a kubeconfig contains or refers to. A fault is reported with the entry's name, never with OpenSSL's message. */

/** Returns the TLS options for verifying the server. */
export async function serverTls(cluster: Chosen['cluster']): Promise<Credentials['tls']> {
	const path = cluster['certificate-authority']
	const ca = cluster['certificate-authority-data'] ?? (path && (await readPem(path)))
	if (ca && !isCertificate(ca))
		throw new Failure('CONFIG_INVALID', `cluster ${cluster.name} of the kubeconfig: its certificate authority is not a PEM certificate`)
	return {
		...(ca && { ca }),
		...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
		...(cluster['tls-server-name'] && nameToVerify(cluster['tls-server-name'])),
	}
}

/** An IP address must not be sent as a server name (RFC 6066), so it is only compared with the certificate. */
function nameToVerify(name: string): Credentials['tls'] {
	return isIP(name) ? { checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate) } : { servername: name }
}

/** Returns a function that reads the current authorities, if they are in a file. */
export function authorities(cluster: Chosen['cluster']): Pick<Credentials, 'authorities'> {
	const path = cluster['certificate-authority']
	return path ? { authorities: () => readPem(path) } : {}
}

/** The client certificate of a user, which may be in files that change. */
export type OwnCertificate = {
	/** Reads the files again if a minute has passed, or if the server rejected the current certificate. */
	read(refused: boolean): Promise<void>
	/** Returns the current certificate; undefined if the user has none. */
	now(): Certificate | undefined
}

/**
 * Reads the client certificate and key of a user. If they are in files, `read` reads them again; until both files match, the previous pair
 * is used.
 *
 * @param clock milliseconds from an arbitrary start
 * @throws Failure CONFIG_INVALID if certificate and key do not match
 */
export async function ownCertificate(user: Chosen['user'], clock: () => number = () => performance.now()): Promise<OwnCertificate> {
	let current = await readPair(user)
	let readAt = clock()
	const isInFiles = [user['client-certificate'], user['client-key']].some(Boolean)
	return {
		now: () => current,
		read: async refused => {
			if (!current || !isInFiles || (!refused && clock() - readAt < 60_000)) return
			readAt = clock()
			current = await readPair(user).catch(() => current)
		},
	}
}

async function readPair(user: Chosen['user']): Promise<Certificate | undefined> {
	const [certPath, keyPath] = [user['client-certificate'], user['client-key']]
	const cert = user['client-certificate-data'] ?? (certPath && (await readPem(certPath)))
	if (!cert) return undefined
	const key = user['client-key-data'] ?? (keyPath && (await readPem(keyPath)))
	if (!key || !isPair(cert, key))
		throw new Failure('CONFIG_INVALID', `user ${user.name} of the kubeconfig: client certificate and key (PEM) do not match`)
	return { cert, key }
}

function isCertificate(pem: string): boolean {
	return succeeds(() => new X509Certificate(pem))
}

function isPair(cert: string, key: string): boolean {
	return succeeds(() => createSecureContext({ cert, key }))
}

function succeeds(act: () => unknown): boolean {
	try {
		act()
		return true
	} catch {
		return false // OpenSSL's message does not name the field
	}
}

function readPem(path: string): Promise<string> {
	return readFile(path, 'utf8').catch(cause => {
		throw new Failure('CONFIG_INVALID', `${path}, named in the kubeconfig, cannot be read`, { cause })
	})
}

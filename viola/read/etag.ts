import { hash } from 'node:crypto'

/**
 * Returns the ETag of a response. It is equal in every replica that has the same state, and differs if anything differs that the body
 * depends on.
 *
 * @param parts for example the provider, the query, and the digest of the node configs
 */
export function etagOf(...parts: readonly unknown[]): string {
	return `"${hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 32)}"`
}

/** Returns whether the header If-None-Match has the ETag, so that the client already has the response. @see RFC 9110, 13.1.2 */
export function isNoneMatch(header: string | undefined, etag: string): boolean {
	if (header === undefined) return false
	if (header.trim() === '*') return true
	return [...header.matchAll(/(?:W\/)?("[^"]*")/g)].some(([, known]) => known === etag)
}

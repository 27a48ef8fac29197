import { hash } from 'node:crypto'

/**
 * Returns the ETag of a response. It is the same in every replica that has the same state, and differs if any part differs.
 *
 * @param parts all that the body depends on, such as the query and a version of the state
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

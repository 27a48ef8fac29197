/**
 * Returns the address that client-go makes of a `server`: without a scheme it is HTTP, and a user in it is omitted.
 *
 * @returns undefined if it is not a valid address
 */
export function serverUrl(server: string): URL | undefined {
	const hasScheme = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]/i.test(server)
	const whole = hasScheme ? server : `http://${server}`
	if (!URL.canParse(whole)) return undefined
	const url = new URL(whole)
	if (!['http:', 'https:'].includes(url.protocol) || (!hasScheme && url.pathname !== '/')) return undefined
	Object.assign(url, { username: '', password: '', search: '', hash: '' })
	return url
}

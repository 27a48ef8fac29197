/**
 * Returns the URL that client-go derives from a `server`: the default scheme is HTTP, and user, query and fragment are removed.
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

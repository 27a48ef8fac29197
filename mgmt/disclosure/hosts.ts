import * as z from 'zod'

/**
 * A host to which every secret may be sent: at this port, or at any port if it is undefined. The host is in the form in which {@link URL}
 * writes it.
 */
export type AllowedHost = { readonly host: string; readonly port: number | undefined }

/** Host names, IPv4 addresses and IPv6 addresses in brackets, each with or without a port, separated by commas. */
export const AllowedHosts = z.string().transform((text, context) => {
	const hosts: AllowedHost[] = []
	for (const entry of text.split(',').flatMap(it => it.trim() || [])) {
		const host = hostIn(entry)
		if (host) hosts.push(host)
		else context.addIssue({ code: 'custom', message: `${quoted(entry)} ${EXPECTED}` })
	}
	return hosts
})

const EXPECTED = 'must be a host or host:port without scheme, path and wildcard, such as viola.example.com:8080, 10.0.0.5 or [fd00::1]'

/** Returns whether one of the entries is this host, and also this port if the entry has one. */
export function isAllowedHost(url: URL, allowed: readonly AllowedHost[]): boolean {
	const own = { host: withoutDot(url.hostname), port: portOf(url) }
	return allowed.some(({ host, port }) => host === own.host && (port === undefined || port === own.port))
}

function hostIn(entry: string): AllowedHost | undefined {
	const [, name = '', digits] = /^(\[[0-9a-f:.]+\]|[^\s:/?#@*%\\[\]]+)(?::(\d{1,5}))?$/i.exec(entry) ?? []
	const host = withoutDot(URL.parse(`http://${name}`)?.hostname ?? '')
	const port = digits === undefined ? undefined : Number(digits)
	return host === '' || port === 0 || (port ?? 0) > 65_535 ? undefined : { host, port }
}

/** `viola.example.com.` is the same host as `viola.example.com`. */
function withoutDot(host: string): string {
	return host.replace(/\.$/, '')
}

function portOf({ port, protocol }: URL): number {
	return Number(port || (protocol === 'https:' ? 443 : 80))
}

/** Quotes an entry without anything before `@`: a whole URL that was pasted may contain a password there. */
function quoted(entry: string): string {
	return JSON.stringify(entry.replace(/^.*@/s, '…@').slice(0, 100))
}

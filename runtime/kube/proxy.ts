import { BlockList, isIP } from 'node:net'

/** Selects the proxy for a server from environment variables, by the rules of Go and therefore of kubectl. Pure. */

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads HTTPS_PROXY (HTTP_PROXY for a server without TLS) and NO_PROXY; the lower-case names apply if the upper-case ones are not set. A
 * loopback server is never reached through a proxy.
 *
 * @returns the URL of the proxy, such as `http://host:port`, as undici expects it; undefined if the server is reached directly
 */
export function proxyFor(server: string, env: Environment): string | undefined {
	const { protocol, hostname, port } = new URL(server)
	const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
	const proxy = env[name] || env[name.toLowerCase()]
	if (!proxy) return undefined
	const host = hostname.replace(/^\[(.*)\]$/, '$1')
	const target = { host, port: port || (protocol === 'https:' ? '443' : '80') }
	if (isLoopback(host) || (env.NO_PROXY || env.no_proxy || '').split(',').some(rule => isExempt(rule, target))) return undefined
	return proxyUrl(proxy)
}

/** Returns the URL of a proxy. An address without a scheme is an HTTP proxy; an invalid address is treated as not set. */
function proxyUrl(proxy: string): string | undefined {
	const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`
	return URL.canParse(whole) ? whole.replace(/^socks5h:/i, 'socks5:') : undefined
}

type Target = { host: string; port: string }

/** Returns whether an entry of NO_PROXY matches: `*`, an IP address, a CIDR, or a domain with its subdomains; optionally a port. */
function isExempt(entry: string, target: Target): boolean {
	const rule = entry.trim().toLowerCase()
	if (rule === '*') return true
	if (rule.includes('/')) return isIn(rule, target.host)
	const [, host = rule, port] = /^\[?(.*?)\]?:(\d*)$/.exec(isIP(rule) ? '' : rule) ?? []
	if (host === '' || (port && port !== target.port)) return false
	if (isIP(host) || isIP(target.host)) return sameAddress(host, target.host)
	const domain = host.replace(/^\*(?=\.)/, '')
	return domain.startsWith('.') ? target.host.endsWith(domain) : target.host === domain || target.host.endsWith(`.${domain}`)
}

function isIn(network: string, host: string): boolean {
	const [address = '', bits = ''] = network.split('/')
	const family = isIP(address)
	const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN
	if (family === 0 || isIP(host) !== family || !(length <= (family === 4 ? 32 : 128))) return false
	const list = new BlockList()
	list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6')
	return list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

function sameAddress(a: string, b: string): boolean {
	return isIP(a) !== 0 && isIn(`${a}/${isIP(a) === 4 ? 32 : 128}`, b)
}

function isLoopback(host: string): boolean {
	return host === 'localhost' || isIn('127.0.0.0/8', host) || isIn('::1/128', host)
}

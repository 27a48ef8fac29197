import { isIP } from 'node:net'

/** The resolver uses at most this many nameservers. */
const MOST = 3

/**
 * Returns the nameservers that this host queries, from its resolv.conf.
 *
 * @param uplink systemd-resolved's own list of servers; its stub (127.0.0.53) runs on the host and answers regardless of the network
 */
export function nameserversOf(resolvConf: string, uplink: string): string[] {
	const servers = listed(resolvConf)
	const behind = servers.every(isStub) ? listed(uplink) : []
	return (behind.length > 0 ? behind : servers).slice(0, MOST)
}

function listed(text: string): string[] {
	return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].flatMap(([, server = '']) => (isIP(server) ? [server] : []))
}

function isStub(server: string): boolean {
	return server === '127.0.0.53' || server === '127.0.0.54'
}

import type { Daemon, Link } from '../model/host-state.ts'
import { execOnHost } from './exec.ts'
import { exists } from './files.ts'
import { readText } from './read-files.ts'

/** Which daemon manages which link at the moment. */
export type LinkDaemons = {
	/** Whether NetworkManager runs on this host and answers. */
	networkmanager: boolean
	/** @returns the daemon that manages the link, and its .network file; empty if no daemon manages the link */
	of(link: Pick<Link, 'ifindex' | 'name'>): Pick<Link, 'managedBy' | 'networkFile'>
}

/** Queries NetworkManager, if it is present, and reads systemd-networkd's state files of the links. */
export async function linkDaemons(root: string): Promise<LinkDaemons> {
	const devices = exists(root, '/run/NetworkManager') ? await devicesOf(root) : undefined
	return {
		networkmanager: devices !== undefined,
		of: ({ ifindex, name }) => {
			const networkFile = networkFileOf(root, ifindex)
			const managedBy: Daemon | undefined = devices?.has(name)
				? 'NetworkManager'
				: networkFile === undefined
					? undefined
					: 'systemd-networkd'
			return { ...(managedBy && { managedBy }), ...(networkFile !== undefined && { networkFile }) }
		},
	}
}

/**
 * NetworkManager lists links that other programs configure as "connected (externally)", but does not manage them. It does manage a NIC that
 * it lists as "disconnected", which it has only set up.
 *
 * @returns the devices that NetworkManager manages; undefined if it does not answer
 */
async function devicesOf(root: string): Promise<Set<string> | undefined> {
	const { code, stdout } = await execOnHost(root, 'nmcli', ['-t', '-f', 'DEVICE,STATE', 'device'])
	if (code !== 0) return undefined
	const lines = stdout.split('\n').map(line => /^(.*):([^:]*)$/.exec(line))
	return new Set(lines.flatMap(found => (found?.[2] && isManaged(found[2]) ? [(found[1] ?? '').replaceAll('\\:', ':')] : [])))
}

function isManaged(state: string): boolean {
	return !/unmanaged|unavailable|externally/.test(state)
}

/** @see sd_network_link_get_network_file(3), which reads the same file */
function networkFileOf(root: string, ifindex: number): string | undefined {
	const text = readText(root, `/run/systemd/netif/links/${ifindex}`)
	return /^ADMIN_STATE=unmanaged$/m.test(text) ? undefined : /^NETWORK_FILE=(.+)$/m.exec(text)?.[1]
}

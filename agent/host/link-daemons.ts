import type { Daemon, Link } from '../model/host-state.ts'
import { execOnHost } from './exec.ts'
import { exists } from './files.ts'
import { readText } from './read-files.ts'

/** Which daemon manages which link at the moment. */
export type Managers = {
	/** NetworkManager runs here and answers. */
	networkmanager: boolean
	/** @returns the daemon that manages the link; empty if no daemon does */
	of(link: Pick<Link, 'ifindex' | 'name'>): Pick<Link, 'managedBy' | 'networkFile'>
}

/** Queries NetworkManager, if there is one, and reads what systemd-networkd stores about its links. */
export async function managers(root: string): Promise<Managers> {
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
 * NetworkManager only shows links that other programs configure ("connected (externally)"). It also manages a NIC that it has only set up
 * ("disconnected").
 *
 * @returns the devices that it manages; undefined if it does not answer
 */
async function devicesOf(root: string): Promise<Set<string> | undefined> {
	const { code, stdout } = await execOnHost(root, 'nmcli', ['-t', '-f', 'DEVICE,STATE', 'device'])
	if (code !== 0) return undefined
	const lines = stdout.split('\n').map(line => /^(.*):([^:]*)$/.exec(line))
	return new Set(lines.flatMap(found => (found?.[2] && isHeld(found[2]) ? [(found[1] ?? '').replaceAll('\\:', ':')] : [])))
}

function isHeld(state: string): boolean {
	return !/unmanaged|unavailable|externally/.test(state)
}

/** @see sd_network_link_get_network_file(3), which reads the same file */
function networkFileOf(root: string, ifindex: number): string | undefined {
	const text = readText(root, `/run/systemd/netif/links/${ifindex}`)
	return /^ADMIN_STATE=unmanaged$/m.test(text) ? undefined : /^NETWORK_FILE=(.+)$/m.exec(text)?.[1]
}

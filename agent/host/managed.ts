import { execOnHost } from './exec.ts'
import { exists } from './files.ts'
import { readText } from './read.ts'
import type { Daemon, Link } from './state.ts'

/** Which daemon has which link at the moment. */
export type Managers = {
	/** NetworkManager runs here and answers. */
	networkmanager: boolean
	/** @returns who has the link; nothing where nobody has */
	of(link: Pick<Link, 'ifindex' | 'name'>): Pick<Link, 'managedBy' | 'networkFile'>
}

/** Asks NetworkManager, where there is one, and reads what systemd-networkd keeps of its links. */
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
 * What others configure NetworkManager only shows ("connected (externally)"); a NIC that it merely sets up it holds as well
 * ("disconnected").
 *
 * @returns the devices that it has; undefined where it does not answer
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

/** @see sd_network_link_get_network_file(3) reads the same file */
function networkFileOf(root: string, ifindex: number): string | undefined {
	const text = readText(root, `/run/systemd/netif/links/${ifindex}`)
	return /^ADMIN_STATE=unmanaged$/m.test(text) ? undefined : /^NETWORK_FILE=(.+)$/m.exec(text)?.[1]
}

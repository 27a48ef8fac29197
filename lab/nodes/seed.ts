import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { type Identity, management } from './identity.ts'
import { kubeconfig } from '../cluster/kubeconfig.ts'

/** What a node needs to know of its cluster, in addition to its identity. */
export interface ClusterForNode {
	name: string
	/** PEM. */
	ca: string
	/** The token with which its kubelet signs in. */
	token: string
	/** Public key that may sign in as root. */
	sshKey: string
}

/** Path without the leading slash → text, or the target of a link. */
export type SeedFiles = Readonly<Record<string, string | { link: string }>>

/**
 * Writes the files that make one node different from the others, in a folder that its labinit copies over `/` at the first boot. Before
 * that, labinit removes what `etc/lab-remove` lists, one path per line.
 */
export async function writeSeed(folder: string, files: SeedFiles): Promise<void> {
	for (const [path, content] of Object.entries(files)) {
		const file = join(folder, path)
		await mkdir(dirname(file), { recursive: true })
		if (typeof content === 'object') await symlink(content.link, file)
		else await writeFile(file, content, { mode: isPrivate(path) ? 0o600 : 0o644 })
	}
}

/** Netplan warns of other modes, NetworkManager ignores such files. */
function isPrivate(path: string): boolean {
	return /^etc\/(netplan|NetworkManager\/system-connections)\//.test(path)
}

/** Returns the seed of a node of a cluster. */
export function nodeSeed(node: Identity, { name, ca, token, sshKey }: ClusterForNode): SeedFiles {
	const server = `https://${management.gateway}:443`
	return {
		...identitySeed(node, sshKey),
		'etc/kubernetes/node.env': `NODE=${node.name}\nIP=${node.address}\n`,
		'etc/kubernetes/kubelet.kubeconfig': kubeconfig({ name, server, ca, token }),
		'etc/kubernetes/ca.crt': ca,
		'etc/netplan/01-mgmt.yaml': netplanOf(node),
		'etc/cni/net.d/10-lab.conflist': JSON.stringify(podNetwork(node)),
	}
}

/** Returns the seed of any node: its identity, and the key that may sign in. */
export function identitySeed({ name, address }: Identity, sshKey: string): SeedFiles {
	return {
		'etc/hostname': `${name}\n`,
		'etc/hosts': `127.0.0.1 localhost\n${address} ${name}\n`,
		'root/.ssh/authorized_keys': sshKey,
	}
}

/**
 * Returns the netplan file of the management NIC, for /etc/netplan/01-mgmt.yaml. A metric keeps its default route the best if others are
 * leased.
 */
export function netplanOf({ address, mac }: Identity, renderer: 'networkd' | 'NetworkManager' = 'networkd', metric?: number): string {
	const mgmt0 = {
		match: { macaddress: mac },
		'set-name': 'mgmt0',
		addresses: [`${address}/${management.prefix}`],
		routes: [{ to: 'default', via: management.gateway, ...(metric !== undefined && { metric }) }],
	}
	return stringify({ network: { version: 2, renderer, ethernets: { mgmt0 } } })
}

function podNetwork({ podRange }: Identity) {
	const ipam = { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] }
	return { cniVersion: '0.4.0', name: 'lab', plugins: [{ type: 'ptp', ipam }, { type: 'loopback' }] }
}

import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { type Identity, management } from './identity.ts'
import { kubeconfig } from '../cluster/kubeconfig.ts'

/** What a node needs for access to its cluster, in addition to its own identity. */
export interface ClusterForNode {
	name: string
	/** CA certificate in PEM format. */
	ca: string
	/** Bearer token of the node's kubelet. */
	token: string
	/** SSH public key that may log in as root. */
	sshKey: string
}

/** Path without the leading slash → content of the file, or target of a symbolic link. */
export type SeedFiles = Readonly<Record<string, string | { link: string }>>

/**
 * Writes the files that distinguish one node from the others into a directory, which the node's labinit copies over `/` at the first boot.
 * Before that, labinit removes the paths that `etc/lab-remove` lists, one per line.
 */
export async function writeSeed(folder: string, files: SeedFiles): Promise<void> {
	for (const [path, content] of Object.entries(files)) {
		const file = join(folder, path)
		await mkdir(dirname(file), { recursive: true })
		if (typeof content === 'object') await symlink(content.link, file)
		else await writeFile(file, content, { mode: isPrivate(path) ? 0o600 : 0o644 })
	}
}

/** Reports whether the file needs mode 0600: netplan warns about other modes, and NetworkManager ignores files that have them. */
function isPrivate(path: string): boolean {
	return /^etc\/(netplan|NetworkManager\/system-connections)\//.test(path)
}

/** Returns the cloud-init seed of a cluster node. */
export function nodeSeed(node: Identity, { name, ca, token, sshKey }: ClusterForNode): SeedFiles {
	const server = `https://${management.gateway}:443`
	return {
		...identitySeed(node, sshKey),
		'etc/kubernetes/node.env': `NODE=${node.name}\nIP=${node.address}\n`,
		'etc/kubernetes/kubelet.kubeconfig': kubeconfig({ name, server, ca, token }),
		'etc/kubernetes/ca.crt': ca,
		'etc/netplan/01-mgmt.yaml': netplanOf(node),
		'etc/resolv.conf': `nameserver ${management.gateway}\n`, // the cluster's DNS server
		'etc/cni/net.d/10-lab.conflist': JSON.stringify(podNetwork(node)),
	}
}

/** Returns the part of a seed that all nodes have: the identity, and the authorized SSH key. */
export function identitySeed({ name, address }: Identity, sshKey: string): SeedFiles {
	return {
		'etc/hostname': `${name}\n`,
		'etc/hosts': `127.0.0.1 localhost\n${address} ${name}\n`,
		'root/.ssh/authorized_keys': sshKey,
	}
}

/**
 * Returns /etc/netplan/01-mgmt.yaml, which configures the management NIC. With `metric`, its default route stays preferred when others are
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

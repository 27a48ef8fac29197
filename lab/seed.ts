import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { type Identity, management } from './identity.ts'
import { kubeconfig } from './kubeconfig.ts'

/** What a node needs to know of its cluster, beside who it is. */
export interface ClusterForNode {
	name: string
	/** PEM. */
	ca: string
	/** With which its kubelet signs in. */
	token: string
	/** Public key that may sign in as root. */
	sshKey: string
}

/** Writes the files that make one node different from the others, in a folder that its labinit copies over `/` at the first boot. */
export async function writeSeed(folder: string, node: Identity, cluster: ClusterForNode): Promise<void> {
	for (const [path, text] of Object.entries(files(node, cluster))) {
		const file = join(folder, path)
		await mkdir(dirname(file), { recursive: true })
		await writeFile(file, text, { mode: path.startsWith('etc/netplan/') ? 0o600 : 0o644 })
	}
}

function files(node: Identity, { name, ca, token, sshKey }: ClusterForNode): Record<string, string> {
	const server = `https://${management.gateway}:443`
	return {
		'etc/hostname': `${node.name}\n`,
		'etc/hosts': `127.0.0.1 localhost\n${node.address} ${node.name}\n`,
		'etc/kubernetes/node.env': `NODE=${node.name}\nIP=${node.address}\n`,
		'etc/kubernetes/kubelet.kubeconfig': kubeconfig({ name, server, ca, token }),
		'etc/kubernetes/ca.crt': ca,
		'etc/netplan/01-mgmt.yaml': stringify(netplan(node)),
		'etc/cni/net.d/10-lab.conflist': JSON.stringify(podNetwork(node)),
		'root/.ssh/authorized_keys': sshKey,
	}
}

function netplan({ address, mac }: Identity) {
	const mgmt0 = {
		match: { macaddress: mac },
		'set-name': 'mgmt0',
		addresses: [`${address}/${management.prefix}`],
		routes: [{ to: 'default', via: management.gateway }],
	}
	return { network: { version: 2, renderer: 'networkd', ethernets: { mgmt0 } } }
}

function podNetwork({ podRange }: Identity) {
	const ipam = { type: 'host-local', ranges: [[{ subnet: podRange }]], routes: [{ dst: '0.0.0.0/0' }] }
	return { cniVersion: '0.4.0', name: 'lab', plugins: [{ type: 'ptp', ipam }, { type: 'loopback' }] }
}

import { access, writeFile } from 'node:fs/promises'
import { execa } from 'execa'
import { management } from '../nodes/identity.ts'

const { bridge } = management

const settings = {
	[`ipv4/conf/${bridge}/forwarding`]: '1',
	// Otherwise an ICMP redirect makes a node send directly to the node of a pod, so that the packets bypass kube-proxy.
	'ipv4/conf/all/send_redirects': '0',
	[`ipv4/conf/${bridge}/send_redirects`]: '0',
	// The rules apply to routed packets, not to packets between two ports of a bridge.
	'bridge/bridge-nf-call-iptables': '0',
	'bridge/bridge-nf-call-ip6tables': '0',
}

/** The data networks stay separate: only packets between nodes are forwarded. */
const rules = `table ip lab {
	chain forward {
		type filter hook forward priority filter
		iifname ${bridge} oifname != ${bridge} drop
	}
}
`

/** Forwards packets from one node to another, or back to the same node, in the network namespace of the current process. */
export async function forwardBetweenNodes(): Promise<void> {
	for (const [name, value] of Object.entries(settings)) await set(`/proc/sys/net/${name}`, value)
	await execa('nft', ['--file', '-'], { input: rules })
}

/** Sets a kernel parameter. Those of bridges exist only if the kernel can filter bridged packets. */
async function set(path: string, value: string): Promise<void> {
	const isMissing = await access(path).then(
		() => false,
		() => true,
	)
	if (isMissing && path.includes('/bridge/')) return
	await writeFile(path, value)
}

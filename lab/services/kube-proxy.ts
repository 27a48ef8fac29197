import { join } from 'node:path'
import { type Daemon, startDaemon } from '../base/daemon.ts'
import { podRange } from '../nodes/identity.ts'

/** Where kube-proxy runs. */
export interface KubeProxyOptions {
	/** Path of the binary. */
	binary: string
	dir: string
	kubeconfig: string
	/** The node under whose name kube-proxy runs. It must be registered. */
	node: string
}

/**
 * Starts one kube-proxy for all nodes, in the network namespace of the current process, through which all packets to a cluster IP pass. It
 * replaces the source address of every connection, so that the reply also passes here if the endpoint is on the sender's node.
 */
export function startKubeProxy({ binary, dir, kubeconfig, node }: KubeProxyOptions): Daemon {
	const flags = {
		kubeconfig,
		'hostname-override': node,
		'proxy-mode': 'nftables',
		'masquerade-all': 'true',
		'cluster-cidr': podRange,
		'healthz-bind-address': '127.0.0.1:10256',
		'metrics-bind-address': '127.0.0.1:10249',
		// 0 keeps the setting of the kernel, because the limit of connections cannot be set in a network namespace.
		'conntrack-max-per-core': '0',
		'conntrack-tcp-timeout-established': '0',
		'conntrack-tcp-timeout-close-wait': '0',
	}
	const argv = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)
	return startDaemon({ name: 'kube-proxy', argv: [binary, ...argv], logFile: join(dir, 'kube-proxy.log') })
}

import { Resolver } from 'node:dns/promises'
import { KubeClient, loadCredentials, Node } from '../../runtime/kube/index.ts'
import { type Daemon, until } from '../base/daemon.ts'
import { apiServerAddress, clusterDomain, dnsAddress } from '../cluster/service-addresses.ts'
import { startClusterDns } from './cluster-dns.ts'
import { forwardBetweenNodes } from './forwarding.ts'
import { type KubeProxyOptions, startKubeProxy } from './kube-proxy.ts'

/** Cluster IPs and DNS names of Services. */
export interface ServiceNetwork {
	/** Resolves when Services are reachable by cluster IP and by name, which is soon after kube-proxy's node is registered. */
	ready(): Promise<void>
}

/** Starts kube-proxy and cluster DNS for a cluster, in the network namespace of the current process. */
export async function startServiceNetwork(options: KubeProxyOptions): Promise<ServiceNetwork> {
	await forwardBetweenNodes()
	const client = new KubeClient(await loadCredentials({ kubeconfig: options.kubeconfig }, {}), { fieldManager: 'multinic-lab' })
	const dns = await startClusterDns(options.dir, client)
	const starting = startWhenRegistered(options, client)
	starting.catch(() => {}) // `ready` reports it; a lab whose nodes stay powered off does not call `ready`
	return {
		async ready() {
			const kubeProxy = await starting
			await until('Services reachable', resolves, { ended: [kubeProxy.ended, dns.ended] })
		},
	}
}

/** Without its node, kube-proxy waits longer and longer before it looks again, up to 31 s in total. */
async function startWhenRegistered(options: KubeProxyOptions, client: KubeClient): Promise<Daemon> {
	const isRegistered = async () => (await client.find(Node, { name: options.node })) !== undefined
	await until(`${options.node} registered`, isRegistered, { everyMs: 300, withinMs: REGISTERED_MS })
	return startKubeProxy(options)
}

/** How long the first boot of a node may take, in milliseconds. */
const REGISTERED_MS = 10 * 60_000

/** Resolves the name of the API server as a pod does. The server is the cluster IP of the DNS Service. */
async function resolves(): Promise<boolean> {
	const resolver = new Resolver({ timeout: 500, tries: 1 })
	resolver.setServers([dnsAddress])
	return resolver.resolve4(`kubernetes.default.svc.${clusterDomain}`).then(
		addresses => addresses.includes(apiServerAddress),
		() => false,
	)
}

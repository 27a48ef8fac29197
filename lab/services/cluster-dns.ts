import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { defineKind, type KubeClient, type KubeObject, Namespace, startReflector } from '../../runtime/kube/index.ts'
import { createLog } from '../../runtime/log.ts'
import { type Daemon, startDaemon, until } from '../base/daemon.ts'
import { dnsAddress } from '../cluster/service-addresses.ts'
import { management } from '../nodes/identity.ts'
import { dnsRecords, type EndpointSlice, type Service, serviceLabel } from './dns-records.ts'

const ServiceKind = defineKind<Service>({ group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true })
const EndpointSliceKind = defineKind<EndpointSlice>({
	group: 'discovery.k8s.io',
	version: 'v1',
	plural: 'endpointslices',
	kind: 'EndpointSlice',
	namespaced: true,
})

/**
 * Starts the cluster's DNS server: dnsmasq on the gateway of the management network, with the Service `kube-dns` in front of it and the
 * records of all Services. For every other name it returns NXDOMAIN, so that a resolver continues with the next search domain.
 */
export async function startClusterDns(dir: string, client: KubeClient): Promise<Daemon> {
	const records = join(dir, 'dns-records')
	writeFileSync(records, '')
	const dnsmasq = startDnsmasq(dir, records)
	// A SIGHUP that arrives before dnsmasq has a handler for it would end dnsmasq.
	await until('cluster DNS answers', answers, { ended: [dnsmasq.ended], everyMs: 20 })
	await createService(client)
	publishRecords(client, records, dnsmasq)
	return dnsmasq
}

function startDnsmasq(dir: string, records: string): Daemon {
	const options = {
		'listen-address': management.gateway,
		'addn-hosts': records,
		local: '/#/', // no name is forwarded
		'conf-file': '/dev/null',
		user: 'root',
		group: 'root',
		'pid-file': '',
		'log-facility': '-',
	}
	const flags = ['keep-in-foreground', 'bind-interfaces', 'no-resolv', 'no-hosts']
	const argv = [...flags.map(flag => `--${flag}`), ...Object.entries(options).map(([name, value]) => `--${name}=${value}`)]
	return startDaemon({ name: 'dnsmasq for the cluster', argv: ['dnsmasq', ...argv], logFile: join(dir, 'cluster-dns.log') })
}

async function answers(): Promise<boolean> {
	const socket = connect({ host: management.gateway, port: 53 })
	return once(socket, 'connect')
		.then(
			() => true,
			() => false,
		)
		.finally(() => socket.destroy())
}

/** Creates `kube-dns`. It has no selector, because its only endpoint is not a pod. */
async function createService(client: KubeClient): Promise<void> {
	const at = { name: 'kube-dns', namespace: 'kube-system' }
	const ports = (['UDP', 'TCP'] as const).map(protocol => ({ name: `dns-${protocol.toLowerCase()}`, port: 53, protocol }))
	const labels = { [serviceLabel]: at.name, 'endpointslice.kubernetes.io/managed-by': 'lab' }
	await client.apply<KubeObject>(Namespace, { metadata: { name: at.namespace } }) // the API server may not have created it yet
	await client.apply(ServiceKind, { metadata: at, spec: { clusterIP: dnsAddress, ports } })
	await client.apply(EndpointSliceKind, {
		metadata: { ...at, labels },
		addressType: 'IPv4',
		endpoints: [{ addresses: [management.gateway], conditions: { ready: true } }],
		ports,
	})
}

/** Writes the records whenever they change, and makes dnsmasq read them, until the process ends. */
function publishRecords(client: KubeClient, path: string, dnsmasq: Daemon): void {
	let published = ''
	const onChange = () => {
		const records = dnsRecords(services.store.values(), slices.store.values())
		if (records === published) return
		published = records
		writeFileSync(path, records)
		process.kill(dnsmasq.pid, 'SIGHUP')
	}
	const options = { client, onChange, log: createLog('dns', { level: 'warn' }), signal: new AbortController().signal }
	const services = startReflector({ ...options, kind: ServiceKind })
	const slices = startReflector({ ...options, kind: EndpointSliceKind })
}

import type { KubeObject } from '../../runtime/kube/index.ts'
import { clusterDomain } from '../cluster/service-addresses.ts'

/** A Service, with the fields that DNS depends on. */
export type Service = KubeObject & { spec: { clusterIP?: string; ports?: object[] } }

/** Endpoints of a Service. Its label `serviceLabel` names the Service. */
export type EndpointSlice = KubeObject & {
	addressType: string
	endpoints: { addresses: string[]; hostname?: string; conditions?: { ready?: boolean } }[] | null
	ports?: object[]
}

export const serviceLabel = 'kubernetes.io/service-name'

/**
 * Returns the DNS records of Services as lines of a hosts file, sorted. The name of a Service has its cluster IP; the name of a headless
 * Service has the addresses of its ready endpoints, and each endpoint with a hostname also has its own name. There are no records for
 * ExternalName Services, nor SRV records.
 */
export function dnsRecords(services: Iterable<Service>, slices: Iterable<EndpointSlice>): string {
	const bySlice = Map.groupBy(slices, slice => keyOf(slice.metadata.namespace, slice.metadata.labels?.[serviceLabel]))
	const lines = [...services].flatMap(service => {
		const { clusterIP } = service.spec
		if (clusterIP === 'None') return headless(service, bySlice.get(keyOf(service.metadata.namespace, service.metadata.name)) ?? [])
		return clusterIP ? [`${clusterIP} ${domainOf(service)}`] : []
	})
	return [...new Set(lines)]
		.toSorted()
		.map(line => `${line}\n`)
		.join('')
}

function headless(service: Service, slices: readonly EndpointSlice[]): string[] {
	const domain = domainOf(service)
	const endpoints = slices.filter(({ addressType }) => addressType === 'IPv4').flatMap(slice => slice.endpoints ?? [])
	const ready = endpoints.filter(({ conditions }) => conditions?.ready !== false)
	return ready.flatMap(({ addresses, hostname }) => {
		const names = hostname ? `${domain} ${hostname}.${domain}` : domain
		return addresses.map(address => `${address} ${names}`)
	})
}

function domainOf({ metadata }: Service): string {
	return `${metadata.name}.${metadata.namespace}.svc.${clusterDomain}`
}

function keyOf(namespace = '', name = ''): string {
	return `${namespace}/${name}`
}

import { describe, expect, test } from 'vitest'
import { dnsRecords, type EndpointSlice, type Service } from '../../../lab/services/dns-records.ts'

const service = (name: string, spec: Service['spec'], namespace = 'a'): Service => ({ metadata: { name, namespace }, spec })

const slice = (of: string, endpoints: EndpointSlice['endpoints'], more: Partial<EndpointSlice> = {}): EndpointSlice => ({
	metadata: { name: `${of}-x`, namespace: 'a', labels: { 'kubernetes.io/service-name': of } },
	addressType: 'IPv4',
	endpoints,
	...more,
})

const headless = service('db', { clusterIP: 'None' })
const virtual = service('web', { clusterIP: '10.96.0.7' })

describe('the DNS records of Services', () => {
	test.each<[title: string, services: Service[], slices: EndpointSlice[], records: string[]]>([
		['there are none without Services', [], [slice('db', [{ addresses: ['10.244.1.5'] }])], []],
		['a Service has its cluster IP', [virtual], [], ['10.96.0.7 web.a.svc.cluster.local']],
		[
			'the endpoints of a Service with a cluster IP have no records',
			[virtual],
			[slice('web', [{ addresses: ['10.244.1.5'] }])],
			['10.96.0.7 web.a.svc.cluster.local'],
		],
		[
			'Services of one name in two namespaces are different names, in a stable order',
			[service('web', { clusterIP: '10.96.0.8' }, 'b'), virtual],
			[],
			['10.96.0.7 web.a.svc.cluster.local', '10.96.0.8 web.b.svc.cluster.local'],
		],
		['a Service that has no cluster IP yet has no record', [service('web', {}), service('web', { clusterIP: '' }, 'b')], [], []],
		[
			'a headless Service has the addresses of its ready endpoints',
			[headless],
			[slice('db', [{ addresses: ['10.244.1.5'] }, { addresses: ['10.244.2.5'], conditions: { ready: true } }])],
			['10.244.1.5 db.a.svc.cluster.local', '10.244.2.5 db.a.svc.cluster.local'],
		],
		[
			'an endpoint that is not ready has no record',
			[headless],
			[slice('db', [{ addresses: ['10.244.1.5'], conditions: { ready: false } }])],
			[],
		],
		[
			'an endpoint with a hostname also has its own name',
			[headless],
			[slice('db', [{ addresses: ['10.244.1.5'], hostname: 'db-0' }])],
			['10.244.1.5 db.a.svc.cluster.local db-0.db.a.svc.cluster.local'],
		],
		['a headless Service without endpoints has no record', [headless], [slice('db', null), slice('db', [])], []],
		['an IPv6 slice is omitted', [headless], [slice('db', [{ addresses: ['fd00::5'] }], { addressType: 'IPv6' })], []],
		['an endpoint of another Service is omitted', [headless], [slice('other', [{ addresses: ['10.244.1.5'] }])], []],
		[
			'an endpoint in two slices has one record',
			[headless],
			[slice('db', [{ addresses: ['10.244.1.5'] }]), slice('db', [{ addresses: ['10.244.1.5'] }])],
			['10.244.1.5 db.a.svc.cluster.local'],
		],
	])('%s', (_, services, slices, records) => {
		expect(dnsRecords(services, slices)).toBe(records.map(line => `${line}\n`).join(''))
	})
})

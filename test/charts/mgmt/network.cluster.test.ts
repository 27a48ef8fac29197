import { describe, expect, test } from 'vitest'
import type { Manifest } from '../release.ts'
import { podOf, render, type Values } from './rendered.ts'
import { type Component, rows, schemas } from './variables.ts'

/** Compares the network policies with every endpoint that the processes call, because the lab enforces none. */

type Peer = { podSelector?: { matchLabels?: Record<string, string> }; ipBlock?: object; namespaceSelector?: object }
type Rule = { from?: Peer[]; to?: Peer[]; ports: { port: number; protocol: string }[] }
type Policy = Manifest & { spec: { podSelector: object; policyTypes: string[]; ingress?: Rule[]; egress: Rule[] } }

const enabled = { 'networkPolicy.enabled': true }
const policyOf = async (component: Component, set: Values = {}) => {
	const found = (await render({ ...enabled, ...set })).find(
		({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === `multinic-${component}`,
	)
	if (!found) throw new Error(`no policy for ${component}`)
	return found as Policy
}
const portsOf = (rules: readonly Rule[]) => new Set(rules.flatMap(({ ports }) => ports.map(({ port }) => port)))

test('there is no policy by default', async () => {
	expect((await render()).filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([])
})

/** An endpoint in a variable: the value that sets it, and the ports that must be open then. */
const inVariables: readonly [component: Component, variable: string, set: Values, ports: number[]][] = [
	['mgmt', 'CONTRABASS_ENDPOINT', { 'contrabass.endpoint': 'http://contrabass.example.com:7001' }, [7001]],
	['mgmt', 'OPENSTACK_NEUTRON_ENDPOINT', { 'openstack.neutronEndpoint': 'http://[fd00::1]:7002/v2.0' }, [7002]],
	['mgmt', 'OPENSTACK_NOVA_ENDPOINT', { 'openstack.novaEndpoint': 'http://nova.example.com/v2.1' }, [80]],
	['mgmt', 'VIOLA_ENDPOINT', { 'viola.endpoint': 'https://viola.example.com:7004' }, [7004]],
	['mgmt', 'DB_HOST', { 'database.host': 'db', 'database.secretName': 'a' }, [3306]],
	['mgmt', 'DB_PORT', { 'database.host': 'db', 'database.secretName': 'a', 'database.port': 7005 }, [7005]],
]

/** An endpoint that a process learns elsewhere: from Kubernetes, Contrabass, a catalog, a Secret or an OpenstackConfig. */
const learned: readonly [component: Component, what: string, ports: number[]][] = [
	['mgmt', 'name resolution', [53]],
	['mgmt', 'the API server, by Service and by endpoint', [443, 6443]],
	['mgmt', 'viola of the release, after the Service has translated the port', [8080]],
	['mgmt', 'Contrabass over https', [443]],
	['mgmt', 'Keystone', [443, 5000]],
	['mgmt', 'Neutron', [443, 9696]],
	['mgmt', 'Nova', [443, 8774]],
	['mgmt', 'RabbitMQ', [5671, 5672]],
	['viola', 'name resolution', [53]],
	['viola', 'the API servers, of this cluster and of biz clusters', [443, 6443]],
]

test.each(inVariables)('%s may call the endpoint of %s', async (component, _, set, ports) => {
	expect([...portsOf((await policyOf(component, set)).spec.egress)]).toEqual(expect.arrayContaining(ports))
})

test.each(learned)('%s may call %s', async (component, _, ports) => {
	expect([...portsOf((await policyOf(component)).spec.egress)]).toEqual(expect.arrayContaining(ports))
})

test.each(['mgmt', 'viola'] as const)('%s may call nothing else by default', async component => {
	const known = new Set(learned.filter(([of]) => of === component).flatMap(([, , ports]) => ports))
	expect(portsOf((await policyOf(component)).spec.egress)).toEqual(known)
})

test('every variable with an address that is called is in the table', () => {
	const called = (['mgmt', 'viola'] as const).flatMap(component =>
		[...Object.keys(schemas[component]), ...rows[component].map(({ variable }) => variable)].filter(name =>
			/ENDPOINT$|_HOST$|_PORT$|_URL$/.test(name),
		),
	)
	expect(new Set(called)).toEqual(new Set(inVariables.map(([, variable]) => variable)))
})

describe('what may be called', () => {
	const peer = { ipBlock: { cidr: '192.0.2.0/24' } }

	test.each<[component: Component, what: string, open: { set?: Values; port: number }, names: string[]]>([
		['viola', 'its API, by mgmt', { port: 8080 }, ['multinic-mgmt']],
		[
			'viola',
			'its API, by configured clients',
			{ set: { 'networkPolicy.violaClients': [peer] }, port: 8080 },
			['multinic-mgmt', '192.0.2.0/24'],
		],
		['viola', 'its metrics', { set: { 'networkPolicy.metricsClients': [peer] }, port: 8080 }, ['multinic-mgmt', '192.0.2.0/24']],
		['mgmt', 'the inventory', { set: { 'networkPolicy.inventoryClients': [peer] }, port: 18081 }, ['192.0.2.0/24']],
		['mgmt', 'its metrics', { set: { 'networkPolicy.metricsClients': [peer] }, port: 8081 }, ['192.0.2.0/24']],
		['mgmt', 'no inventory by default', { port: 18081 }, []],
		['mgmt', 'no metrics by default', { port: 8081 }, []],
	])('%s: %s', async (component, _, { set = {}, port }, names) => {
		const rules = (await policyOf(component, set)).spec.ingress?.filter(({ ports }) => ports.some(one => one.port === port))
		expect((rules ?? []).flatMap(({ from = [] }) => from.map(nameOf))).toEqual(names)
	})

	test('the ports are those of the containers, also if they change', async () => {
		const set = {
			'viola.port': 9001,
			'mgmt.port': 9002,
			'inventory.port': 9003,
			'networkPolicy.inventoryClients': [peer],
			'networkPolicy.metricsClients': [peer],
		}
		const objects = await render({ ...enabled, ...set })
		for (const component of ['mgmt', 'viola'] as const) {
			const [{ ports }] = podOf(objects, component).spec.containers
			expect(portsOf((await policyOf(component, set)).spec.ingress ?? [])).toEqual(new Set(ports.map(one => one.containerPort)))
		}
		expect(portsOf((await policyOf('mgmt', set)).spec.egress)).toContain(9001)
	})
})

test('a policy selects the pods of its component, and denies the rest in both directions', async () => {
	for (const component of ['mgmt', 'viola'] as const) {
		const { spec } = await policyOf(component)
		expect(spec.policyTypes).toEqual(['Ingress', 'Egress'])
		expect(spec.podSelector).toEqual({ matchLabels: { 'app.kubernetes.io/name': `multinic-${component}` } })
	}
})

test('no rule admits everyone or every port', async () => {
	const all = await Promise.all((['mgmt', 'viola'] as const).map(component => policyOf(component)))
	const rules = all.flatMap(({ spec }) => [...(spec.ingress ?? []).map(rule => ({ ...rule, to: rule.from })), ...spec.egress])
	expect(rules.filter(({ ports, from, to }) => ports.length === 0 || from?.length === 0 || to?.length === 0)).toEqual([])
	expect(all.flatMap(({ spec }) => spec.ingress ?? []).filter(({ from }) => !from?.length)).toEqual([])
})

test('the destinations of a rule can be limited', async () => {
	const { spec } = await policyOf('mgmt', { 'networkPolicy.nova': { to: [{ ipBlock: { cidr: '192.0.2.7/32' } }], ports: [8774] } })
	const nova = spec.egress.find(({ ports }) => ports.some(({ port }) => port === 8774))
	expect(nova).toEqual({ to: [{ ipBlock: { cidr: '192.0.2.7/32' } }], ports: [{ port: 8774, protocol: 'TCP' }] })
})

function nameOf({ podSelector, ipBlock }: Peer): unknown {
	return podSelector?.matchLabels?.['app.kubernetes.io/name'] ?? (ipBlock as { cidr?: string }).cidr
}

import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { crds } from '../../contract/crds.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { loadCredentials } from '../../runtime/kube/auth.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { addressCases } from './bad-addresses.ts'

let api: ApiServer
const kubectl = (args: string[], input = '') =>
	execa(`${api.bin}/kubectl`, ['--kubeconfig', api.kubeconfig, ...args], { input, reject: false, all: true })

beforeAll(async () => {
	api = await startApiServer()
	const files = crds.flatMap(({ group, names }) => ['-f', `crds/${group}_${names.plural}.yaml`])
	const applied = await kubectl(['apply', '--server-side', ...files])
	expect(applied.exitCode, applied.all).toBe(0)
	const client = new KubeClient(await loadCredentials({ kubeconfig: api.kubeconfig }, {}), { fieldManager: 'test' })
	await waitForCrds(client, crds).finally(() => client.close())
})
afterAll(() => api?.stop())

const a = { id: 0, macAddress: 'fa:16:3e:37:c3:f1', address: '10.0.0.23', cidr: '10.0.0.0/24', mtu: 1450 }
const b = { id: 1, macAddress: 'fa:16:3e:65:04:9e' }

const nodeConfig = (spec: object) => ({
	apiVersion: 'multinic.io/v1',
	kind: 'MultiNicNodeConfig',
	metadata: { name: 'worker-1', namespace: 'default' },
	spec: { nodeName: 'worker-1', ...spec },
})

/** The same cases as in interface.test.ts, decided here by the schema and the CEL rules of the API server. */
test.each<[title: string, spec: unknown, said: string]>([
	['a full interface and a bare one', { interfaces: [a, b] }, 'created'],
	['no interface at all, meant as such', { interfaces: [] }, 'created'],
	['the address with its prefix as cidr', { interfaces: [{ ...a, cidr: '10.0.0.23/24' }] }, 'created'],
	['upper-case MAC', { interfaces: [{ ...b, macAddress: 'FA:16:3E:65:04:9E' }] }, 'created'],
	['no ids, so that position counts', { interfaces: [{ macAddress: a.macAddress }, { macAddress: b.macAddress }] }, 'created'],
	['missing interfaces', {}, 'spec.interfaces: Required value'],
	['null interfaces', { interfaces: null }, 'spec.interfaces'],
	[
		'a duplicate MAC',
		{ interfaces: [a, { ...b, macAddress: a.macAddress.toUpperCase() }] },
		'spec.interfaces: Invalid value: macAddress must be unique',
	],
	['a duplicate id', { interfaces: [a, { ...b, id: 0 }] }, 'spec.interfaces: Invalid value: id must be unique'],
	['an id here and none there', { interfaces: [a, { macAddress: b.macAddress }] }, 'either all interfaces have an id or none has'],
	['an id of 10', { interfaces: [{ ...b, id: 10 }] }, 'spec.interfaces[0].id'],
	['an MTU of 20', { interfaces: [{ ...a, mtu: 20 }] }, 'spec.interfaces[0].mtu'],
	['an address outside its cidr', { interfaces: [{ ...a, address: '10.0.1.23' }] }, 'spec.interfaces[0].address'],
	['an address without a cidr', { interfaces: [{ ...b, address: '10.0.0.23' }] }, 'spec.interfaces[0].address'],
	['a name that is not multinic + id', { interfaces: [{ ...b, name: 'multinic7' }] }, 'spec.interfaces[0].name'],
	[
		'a network in no table',
		{ interfaces: [{ ...a, connectedRoute: false, policyRouting: false }] },
		'spec.interfaces[0].connectedRoute: Invalid value: connectedRoute and policyRouting must not both be false: the network would be in no table',
	],
	['a MAC that is none', { interfaces: [{ macAddress: 'fa:16:3e' }] }, 'spec.interfaces[0].macAddress'],
	['a node name that is not the name of the object', { nodeName: 'worker-2', interfaces: [] }, 'spec.nodeName must equal metadata.name'],
	['a field nobody knows', { interfaces: [{ ...b, adress: '10.0.0.23' }] }, 'unknown field "spec.interfaces[0].adress"'],
])('%s', async (_, spec, said) => {
	const { all } = await kubectl(['create', '--dry-run=server', '-f', '-'], stringify(nodeConfig(spec as object)))
	expect(all?.replaceAll(/"(object|array)": /g, '')).toContain(said)
})

/** The message of the API server about a rule names the field, in the words of every other entry point. */
test.each(addressCases.map(([title, nic, field, words, alone]) => [title, nic, alone ? undefined : field, words] as const))(
	'%s',
	async (_, nic, field, words) => {
		const { all = '' } = await kubectl(['create', '--dry-run=server', '-f', '-'], stringify(nodeConfig({ interfaces: [nic] })))
		if (field === undefined) expect(all).toContain('created')
		else expect(all.replaceAll(/Invalid value: (?:"[^"]*": )?/g, '')).toContain(`spec.interfaces[0].${field}: ${words}`)
	},
)

test('an object written as v1alpha1 is read as v1, and the old version causes a deprecation warning', async () => {
	const old = {
		apiVersion: 'multinic.io/v1alpha1',
		kind: 'MultiNicNodeConfig',
		metadata: { name: 'worker-9', namespace: 'default' },
		spec: { nodeName: 'worker-9', interfaces: [b] },
	}
	const created = await kubectl(['create', '-f', '-'], stringify(old))
	expect(created.all).toContain('deprecated')
	const { stdout } = await kubectl(['get', 'mnnc', 'worker-9', '-o', 'jsonpath={.apiVersion} {.spec.interfaces[0].macAddress}'])
	expect(stdout).toBe(`multinic.io/v1 ${b.macAddress}`)
})

test('kubectl get mnnc shows the columns that a user needs', async () => {
	const { stdout } = await kubectl(['get', 'mnnc', '-A'])
	expect(stdout.split('\n')[0]?.split(/\s{2,}/)).toEqual(['NAMESPACE', 'NAME', 'NODE', 'STATE', 'INTERFACES', 'REASON', 'AGE'])
})

test.each([
	['VMs by name', { vmNames: ['worker-1'], subnetName: 's' }, 'created'],
	['no VM at all', { subnetName: 's' }, 'vmNames or vmIDs must name at least one VM'],
	['no subnet at all', { vmIDs: ['x'] }, 'one of subnetIDs, subnetID and subnetName is required'],
	['a duration without a unit', { vmIDs: ['x'], subnetID: 's', settings: { pollFastInterval: '20' } }, 'spec.settings.pollFastInterval'],
])('an OpenstackConfig with %s', async (_, spec, said) => {
	const object = {
		apiVersion: 'multinic.example.com/v1alpha1',
		kind: 'OpenstackConfig',
		metadata: { name: 'sample', namespace: 'default' },
		spec: { credentials: { openstackProviderID: 'p', projectID: 'q' }, ...spec },
	}
	const { all } = await kubectl(['create', '--dry-run=server', '-f', '-'], stringify(object))
	expect(all).toContain(said)
})

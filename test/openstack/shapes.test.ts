import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Openstack, startOpenstack } from '../../lab/openstack/server.ts'

/** The lab's OpenStack returns the statuses, keys and types that were recorded from the real services. */

let openstack: Openstack
let token: string

beforeAll(async () => {
	openstack = await startOpenstack({
		networks: [{ name: 'lab-net', subnetName: 'lab-sub', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }],
		servers: ['vm-a', 'vm-b', 'vm-c'].map(name => ({ name, metadata: { role: 'lab' } })),
	})
	for (const server of ['vm-a', 'vm-b', 'vm-c']) openstack.attach({ server, network: 'lab-net' })
	token = await signIn().then(answer => answer.token)
})
afterAll(() => openstack.stop())

const id = (name: string) => openstack.cloud.servers.find(server => server.name === name)?.id ?? name
const unknown = '99999999-9999-4999-8999-999999999999'

test('a sign-in returns 201 with a token and a catalog, as recorded', async () => {
	const { status, body, token } = await signIn()
	expect(status).toBe(201)
	expect(token.length).toBeGreaterThan(100)
	expectShape(body, recorded('keystone/01-auth-password-project-scoped'))
})

test('a wrong password returns 401 with the recorded message', async () => {
	expect(await signIn('wrong')).toMatchObject({ status: 401, body: recorded('keystone/03-wrong-password') })
})

test.each<[sentence: string, path: () => string, status: number, fixture: string]>([
	['ports of three devices', () => `networking/v2.0/ports?${devices()}`, 200, 'neutron/13-ports-3-device-ids'],
	['no port of an unknown device', () => `networking/v2.0/ports?device_id=${unknown}`, 200, 'neutron/16-ports-unknown-device-id'],
	['a page of ports', () => 'networking/v2.0/ports?limit=2&sort_key=id&sort_dir=asc', 200, 'neutron/17-ports-page1-limit2'],
	['an unknown marker', () => `networking/v2.0/ports?limit=2&marker=${unknown}`, 404, 'neutron/20-ports-unknown-marker'],
	['an unknown filter', () => 'networking/v2.0/ports?nosuchattr=1', 400, 'neutron/22-ports-unknown-filter'],
	['subnets by name', () => 'networking/v2.0/subnets?name=lab-sub', 200, 'neutron/30-subnets-by-name'],
	['a subnet', () => `networking/v2.0/subnets/${openstack.cloud.subnets[0]?.id}`, 200, 'neutron/32-subnet-by-id'],
	['an unknown subnet', () => `networking/v2.0/subnets/${unknown}`, 404, 'neutron/33-subnet-unknown'],
	['a network', () => `networking/v2.0/networks/${openstack.cloud.networks[0]?.id}`, 200, 'neutron/34-network'],
	['an unknown network', () => `networking/v2.0/networks/${unknown}`, 404, 'neutron/36-network-unknown'],
	['networks by name', () => 'networking/v2.0/networks?name=lab-net', 200, 'neutron/37-networks-by-name'],
	['servers at 2.1', () => 'compute/v2.1/servers/detail', 200, 'nova/10-servers-detail-2.1'],
	['servers at 2.93', () => 'compute/v2.1/servers/detail@2.93', 200, 'nova/11-servers-detail-2.93'],
	['servers at latest', () => 'compute/v2.1/servers/detail@latest', 200, 'nova/11-servers-detail-2.93'],
	['a microversion it has not', () => 'compute/v2.1/servers/detail@2.96', 406, 'nova/12-servers-detail-unsupported-microversion'],
	['a server', () => `compute/v2.1/servers/${id('vm-a')}`, 200, 'nova/15-server'],
	['an unknown server', () => `compute/v2.1/servers/${unknown}`, 404, 'nova/17-server-unknown'],
	['a page of servers', () => 'compute/v2.1/servers/detail?limit=1', 200, 'nova/18-servers-limit1'],
	['an unknown server marker', () => `compute/v2.1/servers/detail?marker=${unknown}`, 400, 'nova/20-servers-marker-unknown'],
])('%s: status, keys and types as recorded', async (_, path, status, fixture) => {
	const answer = await get(path())
	expect(answer.status).toBe(status)
	const real = recorded(fixture)
	if (status === 200) expectShape(answer.body, real)
	else expect(answer.body).toEqual(real)
})

test.each(['networking/v2.0/ports', 'compute/v2.1/servers/detail'])(
	'%s without a token returns 401 with the recorded message',
	async path => {
		const answer = await fetch(new URL(`/${path}`, openstack.keystoneUrl))
		expect([answer.status, await answer.json()]).toEqual([401, recorded('neutron/02-no-token')])
	},
)

test('a detached port remains, DOWN and without a device', async () => {
	const port = openstack.attach({ server: 'vm-c', network: 'lab-net', mac: 'FA:16:3E:00:00:0F', address: '10.0.0.107' })
	openstack.detach(port.id)
	const { body } = await get(`networking/v2.0/ports/${port.id}`)
	expectShape(body, recorded('neutron/51-port-detach'))
	expect(body).toMatchObject({ port: { device_id: '', device_owner: '', status: 'DOWN', mac_address: 'fa:16:3e:00:00:0f' } })
	expect(await get(`networking/v2.0/ports?device_id=${id('vm-c')}`)).toMatchObject({ body: { ports: [{ device_id: id('vm-c') }] } })
})

test('a port counts as seen only after Neutron has listed it', async () => {
	const port = openstack.attach({ server: 'vm-b', network: 'lab-net' })
	let seen = 0
	const first = openstack.portSeen(port.id).then(() => seen++)
	await get(`networking/v2.0/ports/${port.id}`)
	await get(`networking/v2.0/ports?device_id=${id('vm-a')}`)
	await get('networking/v2.0/ports?fields=mac_address')
	expect(seen).toBe(0)
	await get(`networking/v2.0/ports?device_id=${id('vm-b')}&fields=id`)
	await first
	await openstack.portSeen(port.id)
	expect(seen).toBe(1)
})

test('every page follows the previous one until all items are read once', async () => {
	const seen: string[] = []
	for (let path: string | undefined = 'networking/v2.0/ports?limit=2&fields=id'; path !== undefined; ) {
		const { body } = (await get(path)) as { body: { ports: { id: string }[]; ports_links?: { rel: string; href: string }[] } }
		seen.push(...body.ports.map(port => port.id))
		path = body.ports_links?.find(({ rel }) => rel === 'next')?.href
	}
	expect(seen.toSorted()).toEqual(openstack.cloud.ports.map(port => port.id).toSorted())
})

function devices(): string {
	return ['vm-a', 'vm-b', 'vm-c'].map(name => `device_id=${id(name)}`).join('&')
}

/** Requests the microversion in `path@2.93`. */
async function get(path: string): Promise<{ status: number; body: unknown }> {
	const [rest = '', version] = path.split('@')
	const headers = { 'X-Auth-Token': token, ...(version && { 'OpenStack-API-Version': `compute ${version}` }) }
	const answer = await fetch(new URL(rest, `${new URL(openstack.keystoneUrl).origin}/`), { headers })
	return { status: answer.status, body: await answer.json() }
}

async function signIn(password = openstack.password): Promise<{ status: number; body: unknown; token: string }> {
	const user = { name: openstack.user, domain: { id: 'default' }, password }
	const auth = { identity: { methods: ['password'], password: { user } }, scope: { project: { id: openstack.projectId } } }
	const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ auth }) }
	const answer = await fetch(`${openstack.keystoneUrl}/auth/tokens`, init)
	return { status: answer.status, body: await answer.json(), token: answer.headers.get('X-Subject-Token') ?? '' }
}

function recorded(name: string): unknown {
	return JSON.parse(readFileSync(new URL(`../fixtures/openstack/${name}.json`, import.meta.url), 'utf8'))
}

function expectShape(actual: unknown, real: unknown): void {
	expect(shapes(actual)).toEqual(shapes(real))
}

/** Keys chosen by users: their values are compared, not their names. */
const maps = new Set(['metadata', 'addresses'])
/** Lists that are empty in this cloud. */
const emptyInTheLab = new Set(['security_groups', 'allocation_pools'])

/** Every path to a value with its type: `.servers[].name` → string. */
function shapes(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
	if (Array.isArray(value)) for (const item of value) shapes(item, `${path}[]`, found)
	else if (typeof value !== 'object' || value === null) found.set(path, value === null ? 'null' : typeof value)
	else for (const [key, inner] of Object.entries(value)) shapesOfMember(key, inner, path, found)
	return found
}

function shapesOfMember(key: string, inner: unknown, path: string, found: Map<string, string>): void {
	const chosen = maps.has(path.slice(path.lastIndexOf('.') + 1))
	if (emptyInTheLab.has(key)) found.set(`${path}.${key}`, 'list')
	else shapes(inner, `${path}.${chosen ? '*' : key}`, found)
}

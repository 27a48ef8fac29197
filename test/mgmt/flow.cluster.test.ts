import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FINALIZER } from '../../contract/names.ts'
import type { ServiceName } from '../../lab/openstack/server.ts'
import { readConfig } from '../../mgmt/config.ts'
import { createHttpClients } from '../../mgmt/http-clients.ts'
import { OpenstackConfigKind } from '../../mgmt/kind.ts'
import { createTokens } from '../../mgmt/openstack/tokens.ts'
import { reconcileOpenstackConfig } from '../../mgmt/reconcile.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { KubeObject } from '../../runtime/kube/kind.ts'
import { Event } from '../../runtime/kube/kinds.ts'
import { createLog } from '../../runtime/log.ts'
import { NodeConfigKind } from '../../viola/model/node-config-kind.ts'
import { NAMESPACE, PROVIDER, startWorld, type World } from './world.ts'
import { leadingWithoutInventory } from './leading.ts'

/** OpenStack → mgmt → viola → a real API server, each a separate process, over HTTP. */

let world: World
const pace = { interval: 100 }

beforeAll(async () => {
	const networks = [
		{ name: 'test', cidr: '10.0.0.0/24', gateway: '10.0.0.1', mtu: 1450 },
		{ name: 'management', cidr: '192.168.0.0/24' },
	]
	const servers = ['worker-1', 'worker-2', 'worker-3', 'Worker-4'].map(name => ({ name }))
	world = await startWorld({ networks, servers })
})
afterAll(() => world?.stop())

const spec = (vmNames: string[], more: object = {}, credentials: object = {}) => ({
	vmNames,
	subnetName: 'test',
	credentials: {
		openstackProviderID: world.openstack.providerId,
		k8sProviderID: PROVIDER,
		projectID: world.openstack.projectId,
		...credentials,
	},
	...more,
})
/** A token from a Secret of the namespace, for an endpoint in the OpenstackConfig. */
const ownViola = (name: string) => ({
	settings: { violaEndpoint: world.violaUrl },
	secrets: { violaTokenSecretRef: { name, key: 'token' } },
})
const wrongKey = 'not-the-key-1234'
const wrongToken = 'a-token-viola-never-had'
const wrongPassword = 'not-the-password'
const interfacesOf = async (node: string) => (await world.nodeConfig(node))?.interfaces
const failing = (name: ServiceName) => {
	world.openstack.setFault(name, { status: 503 })
	return {}
}
const readyOf = async (name: string) => (await world.config(name))?.status?.conditions?.find(({ type }) => type === 'Ready')
const deleting = async (name: string) =>
	(await world.client.find(NodeConfigKind, { namespace: NAMESPACE, name }))?.metadata.deletionTimestamp
/** Waits until mgmt has polled often enough to have processed the change. */
const looksFurther = async () => {
	const asked = world.openstack.requests.length
	await expect.poll(() => world.openstack.requests.length, pace).toBeGreaterThan(asked + 20)
}
const untilReady = (name: string, wanted: object) => expect.poll(() => readyOf(name), pace).toMatchObject(wanted)

test('a port attached to a VM becomes an interface of its node, which is removed when the port is detached', async () => {
	const { openstack } = world
	await world.applyConfig('flow', spec(['worker-1']))
	await untilReady('flow', { status: 'True' })
	const port = openstack.attach({ server: 'worker-1', network: 'test', mac: 'FA:16:3E:37:C3:F1', address: '10.0.0.23' })
	openstack.attach({ server: 'worker-1', network: 'management' })
	await expect
		.poll(() => interfacesOf('worker-1'), pace)
		.toEqual([
			{
				id: 0,
				name: 'multinic0',
				portId: port.id,
				networkId: port.networkId,
				subnetId: port.fixedIps[0]?.subnetId,
				macAddress: 'fa:16:3e:37:c3:f1',
				address: '10.0.0.23',
				cidr: '10.0.0.0/24',
				mtu: 1450,
				gateway: '10.0.0.1',
			},
		])
	const { metadata, spec: node } = await world.client.get(NodeConfigKind, { namespace: NAMESPACE, name: 'worker-1' })
	const instance = openstack.cloud.servers.find(({ name }) => name === 'worker-1')?.id
	expect(metadata).toMatchObject({
		finalizers: [FINALIZER],
		labels: { 'multinic.io/node-name': 'worker-1', 'multinic.io/instance-id': instance, 'multinic.io/provider-id': PROVIDER },
	})
	expect(node).toMatchObject({
		nodeName: 'worker-1',
		instanceId: instance,
		providerId: PROVIDER,
		specHash: expect.stringMatching(/^[0-9a-f]{64}$/),
	})
	openstack.detach(port.id)
	await expect.poll(() => interfacesOf('worker-1'), pace).toEqual([])
})

test('an interface keeps its id when the interface before it is removed, and a new interface gets the lowest free id', async () => {
	const { openstack } = world
	await world.applyConfig('sticky', spec(['worker-2']))
	const ids = async () => (await interfacesOf('worker-2'))?.map(({ id, portId }) => [id, portId])
	const first = openstack.attach({ server: 'worker-2', network: 'test', mac: 'fa:16:3e:00:00:02' })
	await expect.poll(ids, pace).toEqual([[0, first.id]])
	const second = openstack.attach({ server: 'worker-2', network: 'test', mac: 'fa:16:3e:00:00:03' })
	await expect.poll(ids, pace).toEqual([
		[0, first.id],
		[1, second.id],
	])
	openstack.detach(first.id)
	await expect.poll(ids, pace).toEqual([[1, second.id]])
	const third = openstack.attach({ server: 'worker-2', network: 'test', mac: 'fa:16:3e:00:00:01' })
	await expect.poll(ids, pace).toEqual([
		[0, third.id],
		[1, second.id],
	])
})

test('nothing is written without a change, and a node config that a user paused stays paused', async () => {
	const read = () => world.client.get(NodeConfigKind, { namespace: NAMESPACE, name: 'worker-2' })
	const before = (await world.client.patch(NodeConfigKind, { namespace: NAMESPACE, name: 'worker-2' }, { spec: { paused: true } })).metadata
	await untilReady('sticky', { status: 'True', reason: 'NoChange' })
	const status = (await world.config('sticky'))?.metadata.resourceVersion
	await looksFurther()
	expect((await read()).metadata.resourceVersion).toBe(before.resourceVersion)
	expect((await world.config('sticky'))?.metadata.resourceVersion).toBe(status)
	world.openstack.attach({ server: 'worker-2', network: 'test' })
	await expect.poll(async () => (await read()).spec, pace).toMatchObject({ paused: true, interfaces: [{}, {}, {}] })
})

test('a DOWN port is polled fast as many times as the OpenstackConfig allows, and is used when it is ACTIVE', async () => {
	const { client, openstack, violaUrl, violaToken } = world
	openstack.addServer({ name: 'worker-8' })
	const port = openstack.attach({ server: 'worker-8', network: 'test', status: 'DOWN' })
	const polls = { pollFastInterval: '1s', pollSlowInterval: '1h', pollFastWindow: '0s', downPortFastRetryMax: 2 }
	await world.applyConfig('down', spec(['worker-8'], { settings: { ...polls, openstackPortAllowedStatuses: ['ACTIVE'] } }))
	await untilReady('down', { status: 'True', reason: 'NoChange' })
	const env = readConfig({
		CONTRABASS_ENDPOINT: openstack.contrabassUrl,
		CONTRABASS_ENCRYPT_KEY: openstack.encryptKey,
		VIOLA_ENDPOINT: violaUrl,
		VIOLA_TOKEN: violaToken,
	})
	const log = createLog('mgmt', { level: 'silent' })
	const http = createHttpClients(log)
	const tokens = createTokens(systemClock)
	const own = { client, all: () => [], env, http, tokens, log, clock: systemClock, chance: () => 0 }
	const reconcile = reconcileOpenstackConfig({ ...own, ...leadingWithoutInventory(log) })
	const look = () => reconcile(`${NAMESPACE}/down`, new AbortController().signal)
	expect([await look(), await look(), await look()]).toEqual([{ afterMs: 1_000 }, { afterMs: 1_000 }, { afterMs: 3_600_000 }])
	expect(await interfacesOf('worker-8')).toBeUndefined()
	port.status = 'ACTIVE'
	await look()
	expect(await interfacesOf('worker-8')).toMatchObject([{ portId: port.id }])
	await http.close()
})

describe('a failure is reported, and no node config is changed until it is resolved', () => {
	test.each<[sentence: string, more: () => Promise<object>, heal: () => Promise<void>, said: [reason: string, words: RegExp]]>([
		[
			'a wrong Contrabass key',
			async () => {
				await world.putSecret('contrabass', 'key', wrongKey)
				return { secrets: { contrabassEncryptKeySecretRef: { name: 'contrabass', key: 'key' } } }
			},
			() => world.putSecret('contrabass', 'key', world.openstack.encryptKey),
			['ContrabassError', /cannot be decrypted with the Contrabass encryption key.*check .* the encryption key/],
		],
		[
			'a wrong Contrabass key in the OpenstackConfig itself, which the Secret with the conventional name overrides',
			async () => ({ settings: { contrabassEncryptKey: 'neither-this-one' } }),
			() => world.putSecret('contrabass-encrypt-key', 'CONTRABASS_ENCRYPT_KEY', world.openstack.encryptKey),
			['ContrabassError', /cannot be decrypted with the Contrabass encryption key/],
		],
		[
			'Neutron answers 503',
			async () => failing('neutron'),
			async () => world.openstack.setFault('neutron', undefined),
			['NeutronSubnetError', /503: The server is currently unavailable.*No changes were sent.*check Neutron/],
		],
		[
			'Nova answers 503',
			async () => failing('nova'),
			async () => world.openstack.setFault('nova', undefined),
			['NovaError', /Nova servers could not be read.*503.*No changes were sent.*check Nova/],
		],
		[
			'Keystone answers 401',
			async () => {
				const { keystoneUrl: authURL, user: username } = world.openstack
				await world.putSecret('sign-in', 'password', wrongPassword)
				return { credentials: spec([], {}, { authURL, username, passwordSecretRef: { name: 'sign-in', key: 'password' } }).credentials }
			},
			() => world.putSecret('sign-in', 'password', world.openstack.password),
			[
				'KeystoneError',
				/rejected the login of admin \(401\): The request you have made requires authentication\. Retrying after [\d:]+ UTC to avoid locking the account.*No changes were sent.*check user, password, domain and projectID/,
			],
		],
		[
			'Keystone answers 503',
			async () => {
				world.openstack.revokeTokens()
				return failing('keystone')
			},
			async () => world.openstack.setFault('keystone', undefined),
			['KeystoneError', /answered 503: The server is currently unavailable.*No changes were sent.*check Keystone; it is retried/],
		],
		[
			'Contrabass answers 503',
			async () => failing('contrabass'),
			async () => world.openstack.setFault('contrabass', undefined),
			['ContrabassError', /answered 503: .*No changes were sent.*check contrabassEndpoint and Contrabass/],
		],
		[
			'a viola endpoint of the author with the token of the environment',
			async () => ({ settings: { violaEndpoint: 'http://viola.evil.example' } }),
			async () => world.applyConfig('errors', spec(['worker-3'])),
			[
				'SecretWithheld',
				/spec\.settings\.violaEndpoint: host viola\.evil\.example is not in SECRET_ENDPOINT_HOSTS.*No changes were sent.*add the host/,
			],
		],
		[
			'a Neutron endpoint of the author with the account of the environment',
			async () => ({ settings: { openstackNeutronEndpoint: 'http://neutron.evil.example' } }),
			async () => world.applyConfig('errors', spec(['worker-3'])),
			['SecretWithheld', /spec\.settings\.openstackNeutronEndpoint: host neutron\.evil\.example is not in SECRET_ENDPOINT_HOSTS/],
		],
		[
			'a biz cluster for which the token of the environment is not allowed',
			async () => ({ credentials: spec([], {}, { k8sProviderID: 'biz-2' }).credentials }),
			async () => world.applyConfig('errors', spec(['worker-3'])),
			['ProviderNotAllowed', /VIOLA_ALLOWED_PROVIDERS does not allow biz-2 for namespace multinic-system.*add this one there/],
		],
		[
			'viola answers 401',
			async () => {
				await world.putSecret('viola', 'token', wrongToken)
				return ownViola('viola')
			},
			() => world.putSecret('viola', 'token', world.violaToken),
			['ViolaReadError', /401: the bearer token is invalid.*check violaEndpoint, the token/],
		],
		[
			'a Secret that does not exist',
			async () => ownViola('later'),
			() => world.putSecret('later', 'token', world.violaToken),
			['ConfigError', /Secret multinic-system\/later does not exist.*No changes were sent/],
		],
	])('%s', async (sentence, more, heal, [reason, words]) => {
		const { openstack } = world
		const known = openstack.attach({ server: 'worker-3', network: 'test' })
		await world.applyConfig('errors', spec(['worker-3']))
		await expect.poll(async () => (await interfacesOf('worker-3'))?.map(({ portId }) => portId), pace).toEqual([known.id])
		await world.applyConfig('errors', spec(['worker-3'], await more()))
		await untilReady('errors', { status: 'False', reason, message: expect.stringMatching(words) })
		openstack.detach(known.id)
		const port = openstack.attach({ server: 'worker-3', network: 'test', name: sentence })
		await looksFurther()
		const { status, metadata } = (await world.config('errors')) ?? {}
		expect(status).toMatchObject({ lastError: expect.stringContaining(reason), nodes: [{ nodeName: 'worker-3', interfaces: 1 }] })
		expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Degraded', status: 'True', reason: 'Error' }))
		expect(status?.observedGeneration).toBe(metadata?.generation)
		expect((await interfacesOf('worker-3'))?.map(({ portId }) => portId)).toEqual([known.id])
		await heal()
		await expect.poll(async () => (await interfacesOf('worker-3'))?.map(({ portId }) => portId), pace).toEqual([port.id])
		await untilReady('errors', { status: 'True' })
		expect((await world.config('errors'))?.status?.lastError).toBeUndefined()
		openstack.detach(port.id)
		await expect.poll(() => interfacesOf('worker-3'), pace).toEqual([])
	})

	test('a VM that Nova does not list is reported, and the others continue', async () => {
		world.openstack.attach({ server: 'Worker-4', network: 'test' })
		await world.applyConfig('partly', spec(['Worker-4', 'worker-99']))
		await untilReady('partly', { status: 'False', reason: 'VmNotFound', message: expect.stringContaining('Nova lists no VM worker-99') })
		expect(await interfacesOf('worker-4')).toHaveLength(1)
	})

	test('a node of an older OpenstackConfig is a conflict', async () => {
		await world.applyConfig('younger', { ...spec(['worker-2']), subnetName: 'management' })
		await untilReady('younger', { status: 'False', reason: 'Conflict', message: expect.stringContaining('multinic-system/sticky') })
		expect(await interfacesOf('worker-2')).toHaveLength(3)
	})
})

test('removing a VM from the OpenstackConfig, or deleting the OpenstackConfig, withdraws the node config', async () => {
	await world.applyConfig('partly', spec(['worker-3']))
	await expect.poll(() => deleting('worker-4'), pace).toBeDefined()
	await world.client.delete(OpenstackConfigKind, { namespace: NAMESPACE, name: 'sticky' })
	await expect.poll(() => deleting('worker-2'), pace).toBeDefined()
	await expect.poll(() => world.config('sticky'), pace).toBeUndefined()
	expect(await deleting('worker-1')).toBeUndefined()
})

test('an OpenstackConfig whose node configs cannot be withdrawn is kept, and its status shows how to delete it anyway', async () => {
	world.openstack.addServer({ name: 'worker-9' })
	world.openstack.attach({ server: 'worker-9', network: 'test' })
	await world.putSecret('leaving', 'token', world.violaToken)
	await world.applyConfig('leaving', spec(['worker-9'], ownViola('leaving')))
	await expect.poll(() => interfacesOf('worker-9'), pace).toHaveLength(1)
	await untilReady('leaving', { status: 'True' })
	await world.putSecret('leaving', 'token', wrongToken)
	await world.client.delete(OpenstackConfigKind, { namespace: NAMESPACE, name: 'leaving' })
	await untilReady('leaving', {
		reason: 'ViolaPostError',
		message: expect.stringMatching(
			/worker-9 could not be withdrawn: .* answered 401: .*to give up, remove the finalizer multinic.example.com\/withdraw/,
		),
	})
	expect(await deleting('worker-9')).toBeUndefined()
	await world.putSecret('leaving', 'token', world.violaToken)
	await expect.poll(() => deleting('worker-9'), pace).toBeDefined()
	await expect.poll(() => world.config('leaving'), pace).toBeUndefined()
})

test('Keystone works without Contrabass, with a password from a Secret', async () => {
	const { openstack } = world
	openstack.addServer({ name: 'vm-5', metadata: { node: 'worker-5' } })
	const port = openstack.attach({ server: 'vm-5', network: 'test' })
	await world.putSecret('keystone', 'password', openstack.password)
	const passwordSecretRef = { name: 'keystone', key: 'password' }
	const credentials = { authURL: openstack.keystoneUrl, username: openstack.user, domainName: 'Default', passwordSecretRef }
	await world.applyConfig('direct', spec(['vm-5'], { settings: { openstackNodeNameMetadataKey: 'node' } }, credentials))
	await expect.poll(() => interfacesOf('worker-5'), pace).toMatchObject([{ portId: port.id }])
})

test('the node config of a deleted VM is withdrawn, and the others are kept', async () => {
	const { openstack } = world
	for (const name of ['worker-6', 'worker-7']) {
		openstack.addServer({ name })
		openstack.attach({ server: name, network: 'test' })
	}
	await world.applyConfig('deleted', spec(['worker-6', 'worker-7']))
	await expect.poll(() => interfacesOf('worker-7'), pace).toHaveLength(1)
	openstack.deleteServer('worker-7')
	await expect.poll(() => deleting('worker-7'), pace).toBeDefined()
	await untilReady('deleted', { status: 'False', reason: 'VmNotFound' })
	expect(await interfacesOf('worker-6')).toHaveLength(1)
	openstack.deleteServer('worker-6')
	await untilReady('deleted', { message: expect.stringContaining('worker-6') })
	expect((await world.config('deleted'))?.status?.nodes).toMatchObject([{ nodeName: 'worker-6', state: 'Kept' }])
	expect(await deleting('worker-6')).toBeUndefined()
})

test('a rejected login is reported, and the password is not sent again', async () => {
	const { openstack } = world
	openstack.setFault('keystone', { status: 401 })
	openstack.revokeTokens()
	await untilReady('flow', {
		status: 'False',
		reason: 'KeystoneError',
		message: expect.stringMatching(/rejected the login of admin \(401\).*check user, password/),
	})
	await untilReady('direct', { reason: 'KeystoneError' }) // a separate account: its domain is written differently
	const asked = (path: string) => openstack.requests.filter(request => request.includes(path)).length
	const [signIns, looks] = [asked('/auth/tokens'), asked('/contrabass/')]
	await expect.poll(() => asked('/contrabass/'), pace).toBeGreaterThan(looks + 10)
	expect(asked('/auth/tokens')).toBe(signIns)
})

test('no secret appears in a log, a status or an Event', async () => {
	const { client, openstack, violaToken } = world
	const objects = await Promise.all([OpenstackConfigKind, NodeConfigKind, Event].map(kind => client.list<KubeObject>(kind)))
	const said = world.logs() + JSON.stringify(objects.map(({ items }) => items))
	for (const word of ['KeystoneError', 'ContrabassError', 'ViolaReadError', 'worker-1']) expect(said).toContain(word)
	for (const secret of [openstack.password, openstack.encryptKey, violaToken, wrongKey, wrongToken, wrongPassword])
		expect(said).not.toContain(secret)
})

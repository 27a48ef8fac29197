import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { limitsOf, notAllowed } from '../../agent/plan/limit-checks.ts'
import { type Interface, Interfaces, settle } from '../../contract/interface.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import { isFailure } from '../../runtime/errors.ts'
import { type Cluster, chart, startCluster } from './release.ts'

/**
 * Tests what the API server accepts from a user who may only write node configs, under the lists of the chart, and that the agent decides
 * the same.
 */
const namespace = 'multinic-system'
const limits = {
	allowMainTableRoutes: ['10.50.0.0/16', 'fd50::/32'],
	protectedNetworks: ['10.96.0.0/12', '10.50.7.0/24'],
	podNetworks: ['10.244.0.0/16', 'fd50:0:7::/48'],
}
const lists = Object.entries(limits).map(([key, networks]) => `runs.${key}={${networks.join(',')}}`)
let cluster: Cluster

const nic = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24', addresses: ['fd00::23/64'] }

beforeAll(async () => {
	cluster = await startCluster()
	await helm('install', ...lists)
	await vi.waitFor(async () => expect(await refusal([{ ...nic, defaultRoute: true }])).toContain('allowDefaultRoute'), { timeout: 60_000 })
}, 180_000)
afterAll(() => cluster?.stop())

async function helm(verb: 'install' | 'upgrade', ...values: string[]): Promise<void> {
	const set = values.flatMap(value => ['--set', value])
	const { all, exitCode } = await cluster.helm(verb, 'multinic', chart, '-n', namespace, '--create-namespace', ...set)
	expect(exitCode, all).toBe(0)
}

function nodeConfig(name: string, interfaces: object[]) {
	return { metadata: { name, namespace }, spec: { nodeName: name, interfaces } } as never
}

/** @returns the error of the API server; empty if it accepts these interfaces */
async function refusal(interfaces: object[]): Promise<string> {
	try {
		await cluster.admin.create(NodeConfig, nodeConfig('worker-1', interfaces), { dryRun: true })
		return ''
	} catch (error) {
		if (!isFailure(error, 'INVALID')) throw error
		return error.message
	}
}

const unlisted = 'must be within a prefix of the chart'
const half = 'must not be a default route or half of one'
const meets = 'must not overlap a link-local network or one of the chart'
const main = (to: string, more: object = {}) => ({ routes: [{ to, table: 254 }], ...more })

test.each<[title: string, wish: object]>([
	['routes in the own table, named or not', { routes: [{ to: '0.0.0.0/1' }, { to: '::/0', table: 100 }, { to: '169.254.169.254/32' }] }],
	['a route within a listed prefix', main('10.50.3.0/24')],
	['a listed route of IPv6, written with host bits', main('fd50:0:1::5/48')],
	['no policyRouting, and a listed route that names no table', { policyRouting: false, routes: [{ to: '10.50.3.0/24' }] }],
])('%s: accepted', async (_, wish) => {
	expect(await refusal([{ ...nic, ...wish }])).toBe('')
})

test.each<[title: string, wish: object, said: string]>([
	['a default route', { defaultRoute: true, gateway: '10.0.0.1' }, 'defaultRoute is not allowed by the chart (runs.allowDefaultRoute)'],
	['half of the internet', main('0.0.0.0/1'), half],
	['the other half, in table default', { routes: [{ to: '128.0.0.0/1', table: 253 }] }, half],
	['all of IPv6', main('::/0'), half],
	['the metadata address', main('169.254.169.254/32'), meets],
	['a network around link-local', main('169.0.0.0/8'), meets],
	['an address in the service network', { address: '10.97.0.9', cidr: '10.97.0.0/24' }, 'an address must not be in one of'],
	['a further address in the service network', { addresses: ['10.97.0.9/32'] }, 'an address must not be in one of'],
	['the service network', main('10.96.0.0/16'), meets],
	['a listed part that is protected', main('10.50.7.9/32'), meets],
	['a listed part of IPv6 that is protected', main('fd50:0:7:8::/64'), meets],
	['an unlisted route', main('10.60.0.0/24'), unlisted],
	['an unlisted route in the table of another interface', { routes: [{ to: '10.60.0.0/24', table: 101 }] }, unlisted],
	['an unlisted route in any table', { routes: [{ to: '10.60.0.0/24', table: 7000 }] }, unlisted],
	['a route wider than what is listed', main('fd50::/31'), meets],
	['no policyRouting, and a route that names no table', { policyRouting: false, routes: [{ to: '10.60.0.0/24' }] }, unlisted],
	[
		'no policyRouting, and a route in what would be the own table',
		{ policyRouting: false, routes: [{ to: '10.60.0.0/24', table: 100 }] },
		unlisted,
	],
	['a route in table local', { routes: [{ to: '10.50.3.0/24', table: 255 }] }, 'table must not be 255'],
])('%s: rejected', async (_, wish, said) => {
	expect(
		await refusal([
			{ ...nic, id: 1, macAddress: 'fa:16:3e:00:00:01', address: '10.0.1.23', cidr: '10.0.1.0/24', addresses: [] },
			{ ...nic, ...wish },
		]),
	).toContain(said)
})

test('a list without ids may name any table of MultiNIC, because only the agent knows the positions', async () => {
	const { id: _, ...bare } = nic
	expect(await refusal([{ ...bare, routes: [{ to: '10.60.0.0/24', table: 105 }] }])).toBe('')
	expect(await refusal([{ ...bare, routes: [{ to: '10.60.0.0/24', table: 110 }] }])).toContain(unlisted)
})

test('the API server and the agent reject the same', async () => {
	const to = fc.oneof(
		fc
			.tuple(
				fc.constantFrom(0, 10, 128, 169, 172),
				fc.constantFrom(0, 50, 96, 254),
				fc.constantFrom(0, 7, 169),
				fc.integer({ min: 0, max: 32 }),
			)
			.map(([a, b, c, length]) => `${a}.${b}.${c}.0/${length}`),
		fc
			.tuple(fc.constantFrom('fd50:0:7::', 'fd50:0:1::', 'fe80::', 'fd50::', '::'), fc.integer({ min: 0, max: 128 }))
			.map(([start, length]) => `${start}/${length}`),
	)
	const table = fc.option(fc.constantFrom(100, 101, 253, 254, 500), { nil: undefined })
	const route = fc.record({ to, table }).map(one => ({ to: one.to, ...(one.table !== undefined && { table: one.table }) }))
	const wish = fc.record({
		policyRouting: fc.boolean(),
		defaultRoute: fc.constantFrom(false, false, true),
		routes: fc.array(route, { minLength: 1, maxLength: 3 }),
	})
	const known = limitsOf({ ...limits, nodeAddresses: [] }, undefined)
	await fc.assert(
		fc.asyncProperty(wish, async asked => {
			const interfaces = [{ ...nic, ...asked }]
			const ours = notAllowed(settle(Interfaces.parse(interfaces) as Interface[]), known)
			expect(await refusal(interfaces)).toEqual(ours.size === 0 ? '' : expect.stringContaining('spec.interfaces: '))
		}),
		{ numRuns: 150 },
	)
}, 120_000)

describe('a node config that is older than the lists', () => {
	test('may be annotated, paused and cleaned up, but its interfaces may be changed only to what is allowed', async () => {
		await helm('upgrade', ...lists, 'runs.allowDefaultRoute=true')
		const old = { ...nic, defaultRoute: true }
		await vi.waitFor(async () => expect(await refusal([old])).toBe(''), { timeout: 60_000 })
		await cluster.admin.create(NodeConfig, nodeConfig('old', [old]))
		await helm('upgrade', ...lists)
		await vi.waitFor(async () => expect(await refusal([old])).not.toBe(''), { timeout: 60_000 })
		const at = { name: 'old', namespace }
		await cluster.admin.patch(NodeConfig, at, { metadata: { annotations: { a: 'b' }, finalizers: ['example.org/stay'] } })
		await cluster.admin.patch(NodeConfig, at, { spec: { paused: true } })
		await expect(cluster.admin.patch(NodeConfig, at, { spec: { interfaces: [{ ...old, mtu: 1400 }] } })).rejects.toMatchObject({
			code: 'INVALID',
		})
		await cluster.admin.patch(NodeConfig, at, { metadata: { finalizers: null } })
		await cluster.admin.patch(NodeConfig, at, { spec: { interfaces: [nic] } })
		await cluster.admin.delete(NodeConfig, at)
	})
})

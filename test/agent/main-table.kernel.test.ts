import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { addPrimaryAndNics } from './primary-link.ts'

/** Configs that would take over packets of the node, with a chart that allows only the listed routes in the main table. */
const isRoot = process.getuid?.() === 0
const nic = { id: 0, macAddress: 'fa:16:3e:00:00:00', address: '10.0.0.23', cidr: '10.0.0.0/24', gateway: '10.0.0.1' }
const other = { id: 1, macAddress: 'fa:16:3e:00:00:01', address: '10.0.1.23', cidr: '10.0.1.0/24' }
const chart = {
	allowDefaultRoute: false,
	allowMainTableRoutes: ['10.50.0.0/16'],
	protectedNetworks: ['10.96.0.0/12'],
	podNetworks: ['10.244.1.0/24'],
	nodeAddresses: ['192.168.9.2'],
}
const main = (...networks: string[]) => ({ routes: networks.map(to => ({ to, via: '10.0.0.7', table: 254 })) })

describe.skipIf(!isRoot)('the main table of the node (needs root for network namespaces)', () => {
	let host: NodeHost

	beforeEach(async () => {
		host = await nodeHost()
		await addPrimaryAndNics(host)
	})
	afterEach(() => host?.close())

	test.each<[title: string, wish: Partial<Interface>, said: RegExp]>([
		[
			'routes to both halves of the address space',
			main('0.0.0.0/1', '128.0.0.0/1'),
			/0\.0\.0\.0\/1 in table main is a default route or half of one/,
		],
		['a default route', { defaultRoute: true }, /multinic0 requests defaultRoute, and the chart does not allow it/],
		['a route to the Service network', main('10.96.0.0/12'), /overlaps 10\.96\.0\.0\/12, a network of runs\.protectedNetworks/],
		[
			'a route to a pod network',
			{ policyRouting: false, routes: [{ to: '10.244.0.0/16', via: '10.0.0.7' }] },
			/overlaps 10\.244\.1\.0\/24, a pod network/,
		],
		[
			'an address in the Service network',
			{ address: '10.96.0.10', cidr: '10.96.0.10/32', gateway: undefined },
			/requests 10\.96\.0\.10, which is in 10\.96\.0\.0\/12/,
		],
		['a route to the metadata service', main('169.254.169.254/32'), /overlaps 169\.254\.0\.0\/16, which is link-local/],
		['a route that is not listed', main('203.0.113.0/24'), /no prefix of runs\.allowMainTableRoutes contains it/],
	])('does not change because of %s: the interface is refused, and the other one is configured', async (_, wish, said) => {
		const { report, stdout } = await host.agent([{ ...nic, ...wish }, other], chart)
		expect(report?.interfaces, stdout).toMatchObject([
			{ state: 'Failed', reason: 'NotAllowed', message: expect.stringMatching(said) },
			{ state: 'Configured' },
		])
		expect(await host.ask('addr show dev ens0')).toMatchObject([{ flags: expect.not.arrayContaining(['UP']) }])
	})

	test('gets a listed route, but no connected route to a network that contains the Service network', async () => {
		const wish = {
			...nic,
			address: '10.80.0.23',
			cidr: '10.64.0.0/10',
			gateway: '10.80.0.1',
			routes: [{ to: '10.50.3.0/24', via: '10.80.0.7', table: 254 }],
		}
		const { report, stdout } = await host.agent([wish], chart)
		expect(report?.interfaces, stdout).toMatchObject([
			{
				state: 'Configured',
				warnings: expect.arrayContaining([
					{ reason: 'SharedNetwork', message: expect.stringMatching(/^the network overlaps 10\.96\.0\.0\/12, a network of runs/) },
				]),
			},
		])
		const routes = (await host.ask('route show dev multinic0')).map(({ dst }) => dst)
		expect(routes).toEqual(['10.50.3.0/24'])
		expect((await host.ask('route show table 100')).map(({ dst }) => dst)).toEqual(['default', '10.64.0.0/10'])
	})

	test.each<[title: string, wish: Partial<Interface>, to: string]>([
		['an external address in a desired /3 network', { address: '95.0.0.23', cidr: '64.0.0.0/3' }, '93.184.216.34'],
		['a pod of this node whose address is desired', { address: '10.20.1.5', cidr: '10.20.1.5/32' }, '10.20.1.5'],
		['the metadata service, whose address is desired', { address: '169.254.169.254', cidr: '169.254.169.254/32' }, '169.254.169.254'],
	])('still routes packets to %s through the same link', async (_, wish, to) => {
		await host.ip('link add cali1 type veth peer name pod1\nlink set cali1 up\nlink set pod1 up\nroute add 10.20.1.5/32 dev cali1')
		const way = async () => (await host.ask(`route get ${to}`))[0]?.dev
		const before = await way()
		const { stdout } = await host.agent([{ id: 0, macAddress: nic.macAddress, ...wish }], chart)
		expect(await way(), stdout).toBe(before)
	})

	test('gets no second connected route to the network of the primary link, even if a refused interface has the MAC of that link', async () => {
		const mac = String((await host.ask('link show dev mgmt'))[0]?.address)
		const decoy = { id: 1, macAddress: mac, defaultRoute: true, address: '10.9.9.9', cidr: '10.9.9.0/24' }
		const { report, stdout } = await host.agent(
			[{ ...nic, address: '192.168.9.77', cidr: '192.168.9.0/24', gateway: '192.168.9.1' }, decoy],
			chart,
		)
		expect(report?.interfaces, stdout).toMatchObject([
			{ state: 'Configured', warnings: expect.arrayContaining([expect.objectContaining({ reason: 'SharedNetwork' })]) },
			{ reason: 'InUse' },
		])
	})

	test('keeps a route that is no longer listed, and the interface is reported as NotAllowed', async () => {
		const wish = { ...nic, ...main('10.50.3.0/24') }
		expect((await host.agent([wish], chart)).report?.interfaces).toMatchObject([{ state: 'Configured' }])
		const before = await host.everything()
		const { report, stdout } = await host.agent([wish], { ...chart, allowMainTableRoutes: [], generation: 2 })
		expect(report?.interfaces, stdout).toMatchObject([{ state: 'Failed', reason: 'NotAllowed' }])
		expect(await host.everything()).toEqual(before)
	})
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import type { Fault } from './broken-host.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { type PrimaryNetwork, primaryNetwork } from './primary-network.ts'

/** All kinds of runs on a node with traffic: no unmanaged object changes, and a TCP stream over the primary NIC loses no data. */
const isRoot = process.getuid?.() === 0
const IDS = Array.from({ length: 10 }, (_, id) => id)
const mac = (id: number) => `fa:16:3e:00:00:0${id}`

let host: NodeHost
let machine: NodeHost
let network: PrimaryNetwork

type Run = { nics: Partial<Interface>[]; more?: Partial<RunConfig>; fault?: Fault; outcome: string }

const nics = (ids: readonly number[]) =>
	ids.map(id => ({
		id,
		macAddress: mac(id),
		address: `10.0.${id}.23`,
		cidr: `10.0.${id}.0/24`,
		gateway: `10.0.${id}.1`,
		mtu: 1400 + id,
		addresses: [`fd00:${id}::23/64`],
		routes: [{ to: `10.9${id}.0.0/16`, via: `10.0.${id}.7` }],
	}))
const turned = nics(IDS).map(nic => ({ ...nic, macAddress: mac((nic.id + 1) % 10) }))
const all: Run = { nics: nics(IDS), outcome: 'Succeeded' }

describe.skipIf(!isRoot)('no unmanaged object changes and no traffic is lost during (needs root for network namespaces)', () => {
	beforeEach(async () => {
		host = await nodeHost()
		machine = await nodeHost()
		network = await primaryNetwork(host, machine)
		for (const id of IDS) await host.ip(`link add ens${id} address ${mac(id)} type veth peer name peer${id}\nlink set peer${id} up`)
	})
	afterEach(() => {
		machine.close()
		host.close()
	})

	test.each<[title: string, runs: Run[]]>([
		['the configuration of ten new NICs, then a run without changes', [all, all]],
		['a plan, a run and a verification', [{ ...all, more: { mode: 'Plan' } }, all, { ...all, more: { mode: 'Verify' } }]],
		['a run that fails late and is rolled back', [{ ...all, fault: { how: 'fail', at: 90 }, outcome: 'RolledBack' }]],
		[
			'a rotation of the names, on a kernel that renames links that are up and on one that does not',
			[all, { nics: turned, outcome: 'Succeeded' }, { ...all, fault: { how: 'fail', renameDown: true } }],
		],
		['a rotation of the names that is rolled back', [all, { nics: turned, fault: { how: 'fail', at: 60 }, outcome: 'RolledBack' }]],
		[
			'the removal of some NICs, of all NICs, and a cleanup',
			[all, { ...all, nics: nics([1, 3, 5]) }, { ...all, nics: [] }, { ...all, more: { mode: 'Cleanup' } }],
		],
		[
			'the configuration of nine NICs, with a tenth that is missing',
			[{ nics: [...nics(IDS.slice(1)), { id: 0, macAddress: '02:00:00:00:00:99' }], outcome: 'PartlyFailed' }],
		],
	])('%s', async (_, runs) => {
		const session = host.session()
		const endOfStream = await network.stream()
		const endOfWatch = await network.watch()
		for (const { nics, more, fault, outcome } of runs) {
			const { report, said } = await session(nics, more, fault)
			expect(report.outcome, said).toBe(outcome)
		}
		expect.soft(await endOfWatch()).toEqual([])
		const { sent, ...streamed } = await endOfStream()
		expect(sent).toBeGreaterThan(0)
		expect(streamed).toEqual({ received: sent, inOrder: true, retransmitted: 0 })
	})
})

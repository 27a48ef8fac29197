import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { RunConfig } from '../../contract/agent-run.ts'
import type { Interface } from '../../contract/interface.ts'
import type { Fault } from './broken-host.ts'
import { type NodeHost, nodeHost } from './node-host.ts'
import { type PrimaryNetwork, primaryNetwork } from './primary-network.ts'

/** Every kind of run on a busy node: nothing unmanaged has an event, and a TCP stream on the primary NIC loses nothing. */
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

describe.skipIf(!isRoot)('on a busy node (needs root for network namespaces)', () => {
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
		['ten new NICs with everything, then nothing to do', [all, all]],
		['a plan and a look', [{ ...all, more: { mode: 'Plan' } }, all, { ...all, more: { mode: 'Verify' } }]],
		['a run that breaks late and is undone', [{ ...all, fault: { how: 'fail', at: 90 }, outcome: 'RolledBack' }]],
		[
			'names that go round, on a kernel that renames links that are up and on one that does not',
			[all, { nics: turned, outcome: 'Succeeded' }, { ...all, fault: { how: 'fail', renameDown: true } }],
		],
		['names that go round, and all of it undone', [all, { nics: turned, fault: { how: 'fail', at: 60 }, outcome: 'RolledBack' }]],
		[
			'some removed, all removed, a cleanup',
			[all, { ...all, nics: nics([1, 3, 5]) }, { ...all, nics: [] }, { ...all, more: { mode: 'Cleanup' } }],
		],
		[
			'a link that is refused beside nine that are not',
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

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import type { NewMachine } from '../../lab/nodes/bare-machine.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { stateOf } from './machine-state.ts'

/**
 * Links that a daemon has managed since the boot swap their names, MTUs and addresses, all in one network, and are then removed. The
 * interface with the lowest id has the connected route of that network; the others have /32 addresses.
 */

const [a, b, c] = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02', 'fa:16:3e:00:00:03'] as const
const pace = { interval: 500 }

describe.each<[what: string, machine: NewMachine]>([
	['systemd-networkd', { network: 'networkd' }],
	['NetworkManager and netplan', { network: 'networkmanager' }],
	['NetworkManager and keyfiles', { network: 'networkmanager', netplan: false }],
	['systemd-networkd and NetworkManager', { network: 'both' }],
])('a host with %s', (_, kind) => {
	let lab: Machines
	let machine: BareMachine

	beforeAll(async () => {
		lab = await startMachines({ machines: [{ ...kind, ports: [a, b, c].map(mac => ({ mac, gateways: ['10.0.0.1/24'] })) }] })
		const [first] = lab.machines
		if (!first) throw new Error('no machine')
		machine = first
	})
	afterAll(() => lab?.stop())

	test.each<[what: string, nics: Partial<Interface>[]]>([
		['two NICs', [nic(0, a, 23), nic(1, b, 24)]],
		['two NICs with swapped names', [nic(0, b, 24), nic(1, a, 23)]],
		['a NIC with other addresses, and a new NIC', [{ ...nic(0, b, 26), addresses: ['10.0.0.27/24'] }, nic(2, c, 25)]],
		['one of these NICs with one of its addresses', [nic(0, b, 26)]],
		['no NIC', []],
	])('%s: the configuration is as desired after a run and after a reboot', async (_what, nics) => {
		const { report, stdout } = await machine.agent(nics)
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
		const configured = await ours()
		expect(configured, stdout).toEqual(nics.map((nic, at) => wanted(nic, at === 0)).sort())
		const state = await stateOf(machine)
		await machine.reboot()
		await expect.poll(ours, pace).toEqual(configured)
		expect((await stateOf(machine)).rules).toEqual(state.rules)
		expect((await machine.agent(nics)).report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	})

	const ours = async () => (await stateOf(machine)).links.filter(words => words.includes('multinic'))
})

function nic(id: number, macAddress: string, last: number): Partial<Interface> {
	return { id, macAddress, address: `10.0.0.${last}`, cidr: '10.0.0.0/24', gateway: '10.0.0.1', mtu: 1400 + id }
}

function wanted({ id, macAddress, address, addresses = [], mtu }: Partial<Interface>, hasNetwork: boolean): string {
	return [macAddress, `multinic${id}`, `mtu ${mtu}`, 'up', `${address}/${hasNetwork ? 24 : 32}`, ...addresses].join(' ')
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { stateOf } from './machine-state.ts'

/**
 * cloud-init is configured to name the NICs by their MACs at every boot. The NICs have the names of MultiNIC while they are desired, and
 * the names of cloud-init after their removal.
 */

const [first, second] = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02'] as const
const nics = [first, second].map((macAddress, id) => ({ id, macAddress, address: `10.0.${id}.23`, cidr: `10.0.${id}.0/24`, mtu: 1400 }))
const pace = { interval: 500 }

describe.each([
	['netplan and systemd-networkd', { network: 'networkd' }],
	['NetworkManager and keyfiles', { network: 'networkmanager', netplan: false }],
] as const)('a host with %s', (_, kind) => {
	let lab: Machines
	let machine: BareMachine
	let before: Record<string, string>

	beforeAll(async () => {
		const ports = [first, second].map(mac => ({ mac }))
		lab = await startMachines({ machines: [{ ...kind, ports, cloudInit: { [first]: 'ens4', [second]: 'ens5' } }] })
		const [only] = lab.machines
		if (!only) throw new Error('no machine')
		machine = only
	})
	afterAll(() => lab?.stop())

	const names = async () => {
		const { links } = await stateOf(machine)
		return links.filter(words => words.startsWith('fa:16:3e:00')).map(words => words.split(' ')[1])
	}

	test('cloud-init names the NICs at the first boot', async () => {
		expect(await names()).toEqual(['ens4', 'ens5'])
		expect(await machine.ask('cloud-init status')).toMatch(/status: (done|running)/)
		before = (await stateOf(machine)).files
	})

	test('a run renames the NICs and reports that the names persist', async () => {
		const { report, stdout } = await machine.agent(nics)
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
		expect(await names()).toEqual(['multinic0', 'multinic1'])
	})

	test('the MultiNIC names survive a reboot, and a run changes nothing', async () => {
		await machine.reboot()
		await expect.poll(names, pace).toEqual(['multinic0', 'multinic1'])
		const { report, stdout } = await machine.agent(nics)
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	})

	test('a removal restores the cloud-init names and every file', async () => {
		const { report, stdout } = await machine.agent([])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
		expect(await names()).toEqual(['ens4', 'ens5'])
		expect((await stateOf(machine)).files).toEqual(before)
	})

	test('the cloud-init names survive a reboot', async () => {
		await machine.reboot()
		await expect.poll(names, pace).toEqual(['ens4', 'ens5'])
	})
})

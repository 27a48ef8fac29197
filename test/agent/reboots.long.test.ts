import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MAX_INTERFACES } from '../../contract/names.ts'
import type { NewMachine } from '../../lab/nodes/bare-machine.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { type MachineState, stateOf } from './machine-state.ts'

/** Ten NICs and ten reboots: after each, all names, MTUs, addresses, routes and rules are the same as after the run. */

const pace = { interval: 500 }
const REBOOTS = 10
const ports = Array.from({ length: MAX_INTERFACES }, (_, id) => ({ mac: mac(id), network: `data${id}`, gateways: [`10.0.${id}.1/24`] }))
/** In a different order than that in which the kernel detects them. */
const nics = Array.from({ length: MAX_INTERFACES }, (_, id) => ({
	id,
	macAddress: mac((id * 3 + 1) % MAX_INTERFACES),
	address: `10.0.${(id * 3 + 1) % MAX_INTERFACES}.23`,
	cidr: `10.0.${(id * 3 + 1) % MAX_INTERFACES}.0/24`,
	gateway: `10.0.${(id * 3 + 1) % MAX_INTERFACES}.1`,
	addresses: [`fd00:${id}::23/64`],
	mtu: 1400 + id,
}))

describe.each<[what: string, machine: NewMachine]>([
	['systemd-networkd', { network: 'networkd' }],
	['NetworkManager and keyfiles', { network: 'networkmanager', netplan: false }],
])('a host with %s', (_, kind) => {
	let lab: Machines
	let machine: BareMachine
	let configured: MachineState

	beforeAll(async () => {
		lab = await startMachines({ machines: [{ ...kind, ports }] })
		const [first] = lab.machines
		if (!first) throw new Error('no machine')
		machine = first
	})
	afterAll(() => lab?.stop())

	test('a run configures ten NICs', async () => {
		const { report, stdout } = await machine.agent(nics)
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
		configured = await stateOf(machine)
		expect(configured.links.filter(link => link.includes('multinic')).map(link => link.split(' ')[1])).toHaveLength(MAX_INTERFACES)
	})

	test.each(Array.from({ length: REBOOTS }, (_, n) => n + 1))('the state is the same after reboot %i', async () => {
		await machine.reboot()
		await expect.poll(() => stateOf(machine), pace).toEqual(configured)
	})

	test('a later run changes nothing', async () => {
		const { report, stdout } = await machine.agent(nics)
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	})
})

function mac(id: number): string {
	return `fa:16:3e:00:00:0${id}`
}

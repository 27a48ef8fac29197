import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { stateOf } from './machine-state.ts'

/** A node whose kernel was started with `ipv6.disable=1`: everything works except IPv6 addresses. */

const port = (id: number) => ({ mac: `fa:16:3e:00:00:0${id + 1}`, network: `data${id}`, gateways: [`192.168.1${id}.1/24`] })
const nic = (id: number): Partial<Interface> => ({
	...{ id, macAddress: port(id).mac, mtu: 1400, gateway: `192.168.1${id}.1` },
	...{ address: `192.168.1${id}.9`, cidr: `192.168.1${id}.0/24` },
})
const six: Partial<Interface> = { ...nic(1), addresses: ['fd00:11::9/64'] }

let lab: Machines
let machine: BareMachine
let before: unknown

beforeAll(async () => {
	lab = await startMachines({ machines: [{ network: 'networkd', kernelArguments: ['ipv6.disable=1'], ports: [port(0), port(1)] }] })
	const [first] = lab.machines
	if (!first) throw new Error('no machine')
	machine = first
	before = await stateOf(machine)
})
afterAll(() => lab?.stop())

const links = async () => (await machine.ask('ip -br -4 addr | grep multinic || true')).replace(/ +(\n?)/g, (_, end) => end || ' ').trim()

test('`ip -6` fails with the error that the agent recognizes', async () => {
	const { stderr, exitCode } = await machine.run('echo rule show | ip -6 -N -j -d -batch -')
	expect([exitCode !== 0, stderr]).toEqual([true, expect.stringContaining('RTNETLINK answers: Address family not supported by protocol')])
})

test('interfaces with IPv4 are configured under a rollback timer, and the one with an IPv6 address is refused', async () => {
	const { report, stdout } = await machine.agent([nic(0), six])
	expect(report, stdout).toMatchObject({
		backend: 'netplan-networkd',
		outcome: 'PartlyFailed',
		persistent: { status: 'True' },
		interfaces: [{ reason: 'Configured' }, { reason: 'InvalidConfig', message: expect.stringContaining('ipv6.disable=1') }],
	})
	expect(stdout).toMatch(/^armed +the host rolls back/m)
	expect(await links()).toBe('multinic0 UNKNOWN 192.168.10.9/24')
})

test('both interfaces are configured without the IPv6 address', async () => {
	const { report, stdout } = await machine.agent([nic(0), nic(1)])
	expect(report, stdout).toMatchObject({ outcome: 'Succeeded', interfaces: [{ reason: 'AlreadyConfigured' }, { reason: 'Configured' }] })
})

test('a change that fails is rolled back', async () => {
	const configured = await stateOf(machine)
	await machine.ask('ip route add 10.9.0.0/16 dev multinic0')
	const { report, stdout } = await machine.agent([
		nic(0),
		{ ...nic(1), mtu: 1300, routes: [{ to: '10.9.0.0/16', via: '192.168.11.1', table: 254 }] },
	])
	expect(report, stdout).toMatchObject({ interfaces: [{}, { reason: 'CommandFailed' }] })
	await machine.ask('ip route del 10.9.0.0/16 dev multinic0')
	expect(await stateOf(machine)).toEqual(configured)
})

test('both interfaces survive a reboot, and a verification finds no drift', async () => {
	await machine.reboot()
	await expect.poll(links, { interval: 500 }).toBe('multinic0 UNKNOWN 192.168.10.9/24\nmultinic1 UNKNOWN 192.168.11.9/24')
	expect((await machine.agent([nic(0), nic(1)], { mode: 'Verify' })).report).toMatchObject({ outcome: 'Succeeded', changes: 0 })
})

test('a removal restores the original state', async () => {
	const { report, stdout } = await machine.agent([])
	expect(report, stdout).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces' })
	expect(await stateOf(machine)).toEqual(before)
})

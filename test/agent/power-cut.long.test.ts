import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import type { NewMachine } from '../../lab/nodes/bare-machine.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { type MachineState, stateOf } from './machine-state.ts'
import { moments, standStillAt, untilStanding } from './moments.ts'

/**
 * A power cut at moments of a run that changes one NIC, drops one and adds one: until the commit, the node has its former state after the
 * boot, and then the desired one.
 */

const pace = { interval: 500 }
const [a, b, c] = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02', 'fa:16:3e:00:00:03'] as const
const before = [nic(0, a), nic(1, b)]
const wanted = [{ ...nic(0, a), addresses: ['10.0.0.24/24'], mtu: 1300 }, nic(2, c)]

const hosts: [what: string, machine: NewMachine][] = [
	['systemd-networkd', { network: 'networkd' }],
	['NetworkManager by netplan', { network: 'networkmanager' }],
	['NetworkManager by keyfiles', { network: 'networkmanager', netplan: false }],
	['both', { network: 'both' }],
]

const cuts: [when: string, at: keyof typeof moments, becomes: 'was' | 'willBe' | 'either'][] = [
	['before its undo is on the disk', 'unarmed', 'was'],
	['when half of its undo is on the disk', 'halfArmed', 'was'],
	['before systemd is told of it', 'enabled', 'was'],
	['when the host waits for the commit, and nothing is changed', 'armed', 'was'],
	['after the first change of the kernel', 'firstLines', 'was'],
	['after the last change of the kernel', 'lastLines', 'was'],
	['when half of the files are written', 'halfWritten', 'was'],
	['when all files are written', 'written', 'was'],
	['in the confirm window, just before the commit', 'confirm', 'was'],
	['at the commit itself', 'commit', 'either'],
	['when the host no longer waits', 'stopped', 'willBe'],
	['when it is over', 'over', 'willBe'],
]

describe.each(hosts)('on a host of %s', (_, kind) => {
	let lab: Machines
	let machine: BareMachine
	const states = {} as Record<'was' | 'willBe', MachineState>

	beforeAll(async () => {
		const ports = [a, b, c].map((mac, n) => ({ mac, network: `data${n}` }))
		lab = await startMachines({ machines: [{ ...kind, ports }] })
		const [first] = lab.machines
		if (!first) throw new Error('no machine')
		machine = first
	})
	afterAll(() => lab?.stop())

	test.each([
		['willBe', wanted],
		['was', before],
	] as const)('a complete run and a reboot have the same result: what it %s', async (name, nics) => {
		await run(machine, nics)
		states[name] = await stateOf(machine)
		await machine.reboot()
		await expect.poll(() => stateOf(machine), pace).toEqual(states[name])
	})

	test.each(cuts)('%s', async (_when, at, becomes) => {
		const started = await machine.startAgent(wanted, { generation: 2 }, { preload: standStillAt(moments[at]) })
		await untilStanding(started)
		await machine.powerOff()
		await machine.powerOn()
		const now = async () => withoutTraces(await stateOf(machine))
		if (becomes === 'either') await expect.poll(now, pace).toBeOneOf([states.was, states.willBe])
		else await expect.poll(now, pace).toEqual(states[becomes])
		await run(machine, before)
		expect(await stateOf(machine)).toEqual(states.was)
		// Where networkd manages the node, NetworkManager takes over a NIC restored in a later boot only at the boot after that, and the record
		// would show it.
		if (kind.network === 'both') await machine.reboot()
	})
})

async function run(machine: BareMachine, nics: readonly Partial<Interface>[]): Promise<void> {
	const { report, stdout } = await machine.agent(nics)
	expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
}

/** Ignores what stays until the next run: an undo that is not yet, or no longer, executed, and files that were not yet renamed. */
function withoutTraces({ files, ...state }: MachineState): MachineState {
	const left = /^\/var\/lib\/multinic\/(undo|committed)\/|\/multinic-undo\.service$|\/\.multinic-[0-9a-f]+$/
	return { ...state, files: Object.fromEntries(Object.entries(files).filter(([path]) => !left.test(path))) }
}

function nic(id: number, macAddress: string): Partial<Interface> {
	const net = `10.0.${id}`
	return { id, macAddress, address: `${net}.23`, cidr: `${net}.0/24`, gateway: `${net}.1`, mtu: 1400 + id }
}

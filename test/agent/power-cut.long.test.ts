import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import type { NewMachine } from '../../lab/nodes/bare-machine.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { type MachineState, stateOf } from './machine-state.ts'
import { moments, standStillAt, untilStanding } from './moments.ts'

/**
 * A power cut during a run that changes one NIC, removes one and adds one. After the boot, the node has its former state if the power cut
 * was before the commit, and otherwise the desired state.
 */

const pace = { interval: 500 }
const [a, b, c] = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02', 'fa:16:3e:00:00:03'] as const
const before = [nic(0, a), nic(1, b)]
const wanted = [{ ...nic(0, a), addresses: ['10.0.0.24/24'], mtu: 1300 }, nic(2, c)]

const hosts: [what: string, machine: NewMachine][] = [
	['systemd-networkd', { network: 'networkd' }],
	['NetworkManager and netplan', { network: 'networkmanager' }],
	['NetworkManager and keyfiles', { network: 'networkmanager', netplan: false }],
	['systemd-networkd and NetworkManager', { network: 'both' }],
]

const cuts: [when: string, at: keyof typeof moments, becomes: 'was' | 'willBe' | 'either'][] = [
	['before the undo is on the disk', 'unarmed', 'was'],
	['when half of the undo is on the disk', 'halfArmed', 'was'],
	['before the rollback timer starts', 'enabled', 'was'],
	['after the rollback timer starts and before any change', 'armed', 'was'],
	['after the first change in the kernel', 'firstLines', 'was'],
	['after the last change in the kernel', 'lastLines', 'was'],
	['when some of the files are written', 'halfWritten', 'was'],
	['when all files are written', 'written', 'was'],
	['immediately before the commit', 'confirm', 'was'],
	['immediately after the commit, which may not be on the disk yet', 'commit', 'either'],
	['after the rollback timer is stopped', 'stopped', 'willBe'],
	['at the end of the run', 'over', 'willBe'],
]

describe.each(hosts)('a host with %s', (_, kind) => {
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
	] as const)('a complete run and a reboot have the same result: state "%s"', async (name, nics) => {
		await run(machine, nics)
		states[name] = await stateOf(machine)
		await machine.reboot()
		await expect.poll(() => stateOf(machine), pace).toEqual(states[name])
	})

	test.each(cuts)('a power cut %s', async (_when, at, becomes) => {
		const started = await machine.startAgent(wanted, { generation: 2 }, { preload: standStillAt(moments[at]) })
		await untilStanding(started)
		await machine.powerOff()
		await machine.powerOn()
		const now = async () => withoutTraces(await stateOf(machine))
		if (becomes === 'either') await expect.poll(now, pace).toBeOneOf([states.was, states.willBe])
		else await expect.poll(now, pace).toEqual(states[becomes])
		await run(machine, before)
		expect(await stateOf(machine)).toEqual(states.was)
		// With both daemons, NetworkManager manages a NIC that was restored in a later boot only after another boot. The record would
		// contain this difference.
		if (kind.network === 'both') await machine.reboot()
	})
})

async function run(machine: BareMachine, nics: readonly Partial<Interface>[]): Promise<void> {
	const { report, stdout } = await machine.agent(nics)
	expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
}

/** Ignores files that stay until the next run: an undo before it is armed or after the commit, and temporary files. */
function withoutTraces({ files, ...state }: MachineState): MachineState {
	const left = /^\/var\/lib\/multinic\/(undo|committed)\/|\/multinic-undo\.service$|\/\.multinic-[0-9a-f]+$/
	return { ...state, files: Object.fromEntries(Object.entries(files).filter(([path]) => !left.test(path))) }
}

function nic(id: number, macAddress: string): Partial<Interface> {
	const net = `10.0.${id}`
	return { id, macAddress, address: `${net}.23`, cidr: `${net}.0/24`, gateway: `${net}.1`, mtu: 1400 + id }
}

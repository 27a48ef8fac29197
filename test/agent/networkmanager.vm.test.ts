import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import type { NewMachine } from '../../lab/nodes/bare-machine.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'

/**
 * The agent on two machines that NetworkManager manages, which creates an automatic connection for every NIC that is plugged in. networkd
 * is masked on both, and netplan's file for the management NIC does not set a name.
 */

const mac = 'fa:16:3e:00:00:01'
const nic: Partial<Interface> = { id: 0, macAddress: mac, address: '192.168.10.9', cidr: '192.168.10.0/24', mtu: 1400 }
const pace = { interval: 500 }
const ours = /^multinic0 UNKNOWN 192.168.10.9\/24( fe80\S+)? $/
const leased = /^vec1 UNKNOWN 192.168.10.1\d\d\/24( fe80\S+)? $/

const management = `network:
  version: 2
  renderer: NetworkManager
  ethernets: {vec0: {addresses: [10.77.0.11/24], routes: [{to: default, via: 10.77.0.1, metric: 50}]}}
`
const hosts: { machine: NewMachine; backend: string }[] = [
	{ machine: { network: 'networkmanager', files: { 'etc/netplan/01-mgmt.yaml': management } }, backend: 'netplan-networkmanager' },
	{ machine: { network: 'networkmanager', netplan: false }, backend: 'networkmanager-keyfile' },
]

let lab: Machines

beforeAll(async () => {
	lab = await startMachines({ machines: hosts.map(({ machine }) => machine) })
})
afterAll(() => lab?.stop())

test('NetworkManager leases an address for a new NIC', () =>
	onAll(async (machine, { backend }) => {
		await machine.attachPort({ mac, network: backend, gateways: ['192.168.10.1/24'], dhcp: true })
		await expect.poll(link(machine), { ...pace, message: backend }).toMatch(leased)
		expect(await machine.ask('nmcli -t -f NAME connection')).toContain('Wired connection 1')
	}))

test('a run takes over the NIC', () =>
	onAll(async (machine, { backend }) => {
		const { report, stdout } = await machine.agent([nic])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', backend, persistent: { status: 'True' } })
		expect(await link(machine)(), backend).toMatch(ours)
	}))

test('NetworkManager does not change the NIC, so a later run changes nothing', () =>
	onAll(async machine => {
		const { report, stdout } = await machine.agent([nic])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	}))

test('after `netplan apply` by an administrator, NetworkManager runs, the node is reachable and the NIC is configured', async () => {
	const [machine] = lab.machines
	if (!machine) throw new Error('no machine')
	expect(await machine.ask('ls /run/systemd/network /etc/systemd/network | grep multinic || true')).toBe('')
	const before = await machine.ask('systemctl show -P InvocationID NetworkManager')
	await machine.ask('systemctl reset-failed; systemd-run --unit=theirs --no-block netplan apply')
	const ended = async () => (await machine.run('systemctl show -P ActiveState theirs', { timeoutMs: 10_000 })).stdout
	await expect.poll(ended, pace).toMatch(/inactive|failed/)
	await expect.poll(async () => (await machine.run('systemctl is-active NetworkManager')).stdout, pace).toBe('active')
	expect(await machine.ask('systemctl show -P InvocationID NetworkManager')).not.toBe(before)
	await expect.poll(link(machine), pace).toMatch(ours)
	const { report, stdout } = await machine.agent([nic])
	expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
})

test('a removal restores the name and the lease, and no file of MultiNIC remains', () =>
	onAll(async (machine, { backend }) => {
		await release(machine)
		await expect.poll(link(machine), { ...pace, message: backend }).toMatch(leased)
	}))

test('the NIC keeps its desired config after a reboot', () =>
	onAll(async (machine, { backend }) => {
		expect((await machine.agent([nic])).report).toMatchObject({ outcome: 'Succeeded' })
		await machine.reboot()
		await expect.poll(link(machine), { ...pace, message: backend }).toMatch(ours)
		const { report, stdout } = await machine.agent([nic], { mode: 'Verify' })
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
	}))

test('a removal after that reboot restores the NIC, and NetworkManager recreates its connection when the NIC is plugged in again', () =>
	onAll(async (machine, { backend }) => {
		await release(machine)
		expect(await link(machine)(), backend).toMatch(/^vec1 /)
		await machine.detachPort(mac)
		await machine.attachPort({ mac, network: backend })
		await expect.poll(link(machine), { ...pace, message: backend }).toMatch(leased)
	}))

async function release(machine: BareMachine): Promise<void> {
	const { report, stdout } = await machine.agent([])
	expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
	expect(await machine.ask('find /etc /run /var/lib -name "*multinic*" -not -path "/run/multinic"')).toBe('')
}

/** Runs on both machines concurrently, because each has its own core and is slow. */
async function onAll(work: (machine: BareMachine, host: (typeof hosts)[number]) => Promise<void>): Promise<void> {
	await Promise.all(hosts.map((host, at) => lab.machines[at] && work(lab.machines[at], host)))
}

function link(machine: BareMachine): () => Promise<string> {
	return async () => (await machine.ask('ip -br addr | grep -e multinic -e "vec[1-9]" || true')).replace(/ +/g, ' ')
}

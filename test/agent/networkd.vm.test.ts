import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { stateOf } from './machine-state.ts'
import { goOn, moments, standStillAt, untilStanding } from './moments.ts'

/** The agent on a machine that systemd-networkd manages: cases that are not possible in a network namespace. */

const mac = 'fa:16:3e:00:00:01'
const port = { mac, gateways: ['192.168.10.1/24'], dhcp: true }
const nic: Partial<Interface> = { id: 0, macAddress: mac, address: '192.168.10.9', cidr: '192.168.10.0/24', mtu: 1400 }
const pace = { interval: 500 }

let lab: Machines
let machine: BareMachine

beforeAll(async () => {
	lab = await startMachines({ machines: [{ network: 'networkd' }] })
	const [first] = lab.machines
	if (!first) throw new Error('no machine')
	machine = first
})
afterAll(() => lab?.stop())

const mtu = () => machine.ask('cat /sys/class/net/vec1/mtu')
const link = async () => (await machine.ask('ip -br addr | grep -e multinic -e vec || true')).replace(/ +/g, ' ')

describe('a NIC that is plugged in late', () => {
	test('is reported as WaitingForDevice if it does not appear', async () => {
		const { report } = await machine.agent([nic])
		expect(report).toMatchObject({ reason: 'WaitingForDevice', changes: 0, interfaces: [{ reason: 'WaitingForDevice' }] })
	})

	test('is configured by the run that waits for it, even if udevd restarts meanwhile', async () => {
		const run = machine.agent([nic], { waitForDeviceSeconds: 60 })
		const restarts = machine.ask('for n in 1 2 3 4; do systemctl restart systemd-udevd; done; systemctl is-active systemd-udevd')
		await machine.attachPort(port)
		await restarts
		const { report, stdout } = await run
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
		expect(await link()).toMatch(/^multinic0 UNKNOWN 192.168.10.9\/24 /)
	})

	test('has its name after it is plugged in again, and its address after the next run', async () => {
		await machine.detachPort(mac)
		await machine.attachPort(port)
		await expect.poll(link, pace).toMatch(/^multinic0 /)
		expect((await machine.agent([nic])).report).toMatchObject({ outcome: 'Succeeded' })
		expect(await link()).toMatch(/^multinic0 UNKNOWN 192.168.10.9\/24 /)
	})

	test('has its original name after a removal, and no file of MultiNIC remains', async () => {
		const { report, stdout } = await machine.agent([])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
		expect(await link()).toMatch(/^vec1 DOWN $/)
		expect(await mtu()).toBe('1500')
		expect(await machine.ask('find /etc /run /var/lib -name "*multinic*" -not -path "/run/multinic"')).toBe('')
	})
})

describe('a clock change', () => {
	test('forward by hours does not roll back a run before its commit', async () => {
		const run = await machine.startAgent([nic], {}, { preload: standStillAt(moments.confirm) })
		await untilStanding(run)
		await machine.ask('date -s "+6 hours"')
		await sleep(5000)
		expect(await link()).toMatch(/^multinic0 /)
		goOn(run)
		expect((await run.ended).report).toMatchObject({ outcome: 'Succeeded' })
		expect((await machine.agent([])).report).toMatchObject({ outcome: 'Succeeded' })
	})

	test('backward by hours does not delay the rollback of a run that does not commit', async () => {
		const before = await stateOf(machine)
		const run = await machine.startAgent([nic], { commitTimeoutSeconds: 10 }, { preload: standStillAt(moments.written) })
		await untilStanding(run)
		await machine.ask('date -s "-12 hours"')
		await expect.poll(link, pace).toMatch(/^vec1 DOWN $/)
		goOn(run)
		expect((await run.ended).report).toMatchObject({ outcome: 'RolledBack', reason: 'RolledBack', changes: 0 })
		await machine.ask('date -s "+6 hours"')
		expect(await stateOf(machine)).toEqual(before)
	})
})

test('with an invalid netplan file of another program, a run succeeds and reports that the configuration is not persistent', async () => {
	const before = await stateOf(machine)
	await machine.ask('printf "network:\\n  version: 2\\n ethernets: [\\n" >/etc/netplan/50-theirs.yaml')
	const refused = expect.stringMatching(/50-theirs\.yaml\): line 3: Invalid YAML/)
	expect((await machine.agent([nic])).report).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'False', message: refused } })
	expect((await machine.agent([])).report).toMatchObject({ outcome: 'Succeeded' })
	await machine.ask('rm /etc/netplan/50-theirs.yaml')
	expect(await stateOf(machine)).toEqual(before)
})

describe('a NIC for which networkd requested a lease because of a .network file for all NICs', () => {
	test('has the lease', async () => {
		const everyone = '[Match]\\nName=en* eth* vec*\\n\\n[Network]\\nDHCP=ipv4\\n'
		await machine.ask(`printf "${everyone}" >/etc/systemd/network/90-everyone.network && networkctl reload`)
		await expect.poll(link, pace).toMatch(/^vec1 UNKNOWN 192.168.10.1\d\d\/24 /)
	})

	test('is taken over', async () => {
		const { report, stdout } = await machine.agent([nic])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
		expect(await link()).toMatch(/^multinic0 UNKNOWN 192.168.10.9\/24 fe80/)
	})

	test('keeps its desired config after a reboot', async () => {
		await machine.reboot()
		await expect.poll(link, pace).toMatch(/^multinic0 UNKNOWN 192.168.10.9\/24 fe80/)
		expect((await machine.agent([nic], { mode: 'Verify' })).report).toMatchObject({ outcome: 'Succeeded' })
	})

	test('is restored when it is no longer desired', async () => {
		const { report, stdout } = await machine.agent([])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
		await expect.poll(link, pace).toMatch(/^vec1 UNKNOWN 192.168.10.1\d\d\/24 /)
		expect(await mtu()).toBe('1500')
	})
})

describe('a removed NIC that had its MultiNIC name when networkd started', () => {
	const other = { ...nic, address: '192.168.10.19' }
	test('has its desired config after the boot and is restored by a removal', async () => {
		await machine.ask('rm -f /etc/systemd/network/90-everyone.network && networkctl reload')
		expect((await machine.agent([nic])).report).toMatchObject({ outcome: 'Succeeded' })
		await machine.reboot()
		await expect.poll(link, pace).toMatch(/^multinic0 UNKNOWN 192.168.10.9\/24 /)
		expect((await machine.agent([])).report).toMatchObject({ outcome: 'Succeeded' })
	})

	test('gets another address in the same boot and keeps it', async () => {
		const { report, stdout } = await machine.agent([other])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
		expect(await link()).toMatch(/^multinic0 UNKNOWN 192.168.10.19\/24 fe80/)
		expect((await machine.agent([other], { mode: 'Verify' })).report).toMatchObject({ outcome: 'Succeeded' })
		expect((await machine.agent([])).report).toMatchObject({ outcome: 'Succeeded' })
	})

	test('has the address, MTU and route from an administrator again after a run and a removal', async () => {
		await machine.ask('ip link set vec1 up; ip addr add 172.31.1.5/24 dev vec1; ip route add 172.31.2.0/24 via 172.31.1.1 dev vec1')
		const before = await stateOf(machine)
		const wish = { id: 0, macAddress: mac, address: '172.31.1.5', cidr: '172.31.1.0/24' }
		const { report, stdout } = await machine.agent([wish])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded' })
		expect(await link()).toMatch(/^multinic0 UNKNOWN 172.31.1.5\/24 /)
		const removal = await machine.agent([])
		expect(removal.report, removal.stdout).toMatchObject({ outcome: 'Succeeded' })
		await expect.poll(() => stateOf(machine), pace).toEqual(before)
		await machine.ask('ip addr flush dev vec1; ip link set vec1 down')
	})

	test('is restored after a failed run', async () => {
		await machine.ask('ip link set vec1 up; ip addr add 172.31.1.5/24 dev vec1; ip route add 172.31.2.0/24 via 172.31.1.1 dev vec1')
		const before = await stateOf(machine)
		// The gateway has this address, which is detected once the NIC has its new name.
		const { report, stdout } = await machine.agent([{ ...nic, address: '192.168.10.1', addresses: ['172.31.1.5/24'] }])
		expect(report, stdout).toMatchObject({ outcome: 'Failed', reason: 'AddressInUse' })
		await expect.poll(() => stateOf(machine), pace).toEqual(before)
		await machine.ask('ip addr flush dev vec1; ip link set vec1 down')
	})
})

test('a power cut before the commit restores the node', async () => {
	const before = await stateOf(machine)
	const run = await machine.startAgent([nic], {}, { preload: standStillAt(moments.confirm) })
	await untilStanding(run)
	await machine.powerOff()
	await machine.powerOn()
	await expect.poll(() => stateOf(machine), pace).toEqual(before)
})

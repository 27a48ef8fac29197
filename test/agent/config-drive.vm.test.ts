import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'
import { drivePackages, unpackPackages } from '../../lab/base/packages.ts'

/** Config drives in both formats that Nova creates, detected by a real udev and read by the agent as in its pod. */

const recorded = new URL('../fixtures/openstack/metadata/network_data.json', import.meta.url)
const mac = 'fa:16:3e:37:c3:f1'
let lab: Machines
let machine: BareMachine
let folder: string
let programs: Readonly<Record<string, string>>

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'multinic-drive-test-'))
	await mkdir(join(folder, 'drive/openstack/latest'), { recursive: true })
	await writeFile(join(folder, 'drive/openstack/latest/network_data.json'), await readFile(recorded))
	await writeFile(join(folder, 'drive/openstack/latest/meta_data.json'), '{"uuid": "83679162-1378-4288-a2d4-70e13ec132aa"}')
	programs = (await unpackPackages(drivePackages)).env
	lab = await startMachines({ machines: [{ network: 'networkd', ports: [{ mac }] }] })
	machine = lab.machines[0] as BareMachine
})

afterAll(async () => {
	await lab?.stop()
	await rm(folder, { recursive: true, force: true })
})

describe.each([
	['ISO 9660', iso, 'iso9660'],
	['FAT', fat, 'vfat'],
])('a config drive formatted as %s', (_, make, type) => {
	let device: string

	beforeAll(async () => {
		await machine.copyFile(await make(), '/root/drive')
		device = await machine.ask('modprobe --all loop isofs vfat && losetup --find --show --read-only /root/drive && udevadm settle')
		expect(await machine.ask(`blkid -o value -s TYPE ${device}`)).toBe(type)
	})
	afterAll(() => machine.ask(`losetup --detach ${device} && udevadm settle`))

	test('is read and compared with the desired config', async () => {
		const { report, stderr } = await run('10.0.0.24', 9000)
		expect(stderr).toBe('')
		expect(report?.interfaces[0]?.warnings).toEqual([
			{
				reason: 'PortMismatch',
				message:
					'Nova reports 10.0.0.23 for this MAC, not 10.0.0.24, Nova reports an MTU of 1450 for this MAC, not 9000 (config drive, which may be old)',
			},
		])
	})

	test('causes no warning if the config matches', async () => {
		const { report, stdout } = await run('10.0.0.23', 1450)
		expect(report?.interfaces[0]?.warnings).toEqual([])
		expect(stdout).toMatch(/^openstack +the config drive/m)
	})

	test('is not mounted after the run', async () => {
		expect(await machine.ask('cat /proc/mounts')).not.toContain(device)
		expect(await machine.ask('ls -d /tmp/multinic* /var/lib/multinic/scratch 2>/dev/null || true')).toBe('')
	})
})

test('without a config drive, a run does not compare the config with OpenStack', async () => {
	const { report, stdout } = await run('10.0.0.24', 9000)
	expect(report?.interfaces[0]?.warnings).toEqual([])
	expect(stdout).not.toContain('openstack')
	expect(report?.machine).toMatchObject({ os: expect.stringContaining('Debian'), virtualization: 'uml' })
})

function run(address: string, mtu: number) {
	return machine.agent([{ id: 0, macAddress: mac, address, cidr: '10.0.0.0/24', mtu }], { mode: 'Plan' })
}

/** Uses the arguments of Nova's own call. */
async function iso(): Promise<string> {
	const image = join(folder, 'drive.iso')
	const form = [
		'-ldots',
		'-allow-lowercase',
		'-allow-multidot',
		'-l',
		'-publisher',
		'OpenStack Nova 26.2.2',
		'-quiet',
		'-J',
		'-r',
		'-V',
		'config-2',
	]
	await execa('genisoimage', ['-o', image, ...form, join(folder, 'drive')], { env: programs })
	return image
}

async function fat(): Promise<string> {
	const image = join(folder, 'drive.fat')
	await execa('mkfs.vfat', ['-C', '-n', 'config-2', image, '16384'], { env: programs })
	await execa('mcopy', ['-s', '-i', image, join(folder, 'drive/openstack'), '::'], { env: programs })
	return image
}

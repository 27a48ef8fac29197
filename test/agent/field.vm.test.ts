import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Interface } from '../../contract/interface.ts'
import { type BareMachine, type Machines, startMachines } from '../../lab/setup/start-machines.ts'

/**
 * The agent on a machine set up as in public bug reports: a netplan file for all `en*` NICs, cloud-init that reads its network
 * configuration at every boot, and a VLAN that MultiNIC does not manage.
 */

const pace = { interval: 500 }
const wish = (id: number, mac: string, net: string): Partial<Interface> => ({
	...{ id, macAddress: mac, mtu: 1400 },
	...{ address: `${net}.9`, cidr: `${net}.0/24` },
})
const [first, leased, silent, late] = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:11', 'fa:16:3e:00:00:12', 'fa:16:3e:00:00:02'] as const
const quiet = wish(1, silent, '192.168.21')
const catchAll = '/run/systemd/network/10-netplan-all-en.network'

let lab: Machines
let machine: BareMachine

beforeAll(async () => {
	lab = await startMachines({ machines: [{ network: 'networkd', ports: [{ mac: first }], cloudInit: { [first]: 'ens4' } }] })
	const [only] = lab.machines
	if (!only) throw new Error('no machine')
	machine = only
})
afterAll(() => lab?.stop())

/** The link with that MAC, in the form "NAME STATE ADDRESS …". */
const link = async (mac: string) => {
	const name = `$(grep -l ${mac} /sys/class/net/*/address | grep -v /trunk | cut -d/ -f5)`
	return (await machine.ask(`ip -br addr show dev ${name}`))
		.replace(/ fe80\S+/, '')
		.replace(/ +/g, ' ')
		.trim()
}
const put = (path: string, text: string) => machine.ask(`cat >${path} <<'END'\n${text}\nEND\nchmod 600 ${path}`)

describe('a netplan file for all `en*` NICs, and NICs with alternative names', () => {
	const theirs = '/etc/netplan/90-default.yaml'
	const allEn = (match: string) =>
		put(
			theirs,
			`network: {version: 2, ethernets: {all-en: {match: {${match}}, dhcp4: true, optional: true, dhcp4-overrides: {route-metric: 200}}}}`,
		)
	/** Replaces the naming policy of PCI hardware. */
	const naming = (mac: string, slot: number) => {
		const policy = `[Match]\nOriginalName=vec*\nMACAddress=${mac}\n\n[Link]\nName=ens${slot}\nAlternativeName=enp0s${slot}`
		return put(`/etc/systemd/network/98-hw${slot}.link`, policy)
	}

	test('networkd leases an address for one of the new NICs', async () => {
		await Promise.all([naming(leased, 7), naming(silent, 8)])
		await allEn('name: "en*"')
		await machine.ask('netplan generate; networkctl reload; udevadm control --reload')
		await machine.attachPort({ mac: leased, network: 'n20', gateways: ['192.168.20.1/24'], dhcp: true })
		await machine.attachPort({ mac: silent, network: 'n21', gateways: ['192.168.21.1/24'] })
		await expect.poll(() => link(leased), pace).toMatch(/^ens7 UNKNOWN 192\.168\.20\.1\d\d\/24/)
	})

	test.each([
		['with a lease', wish(0, leased, '192.168.20'), 'enp0s7'],
		['without a lease', quiet, 'enp0s8'],
	])('a NIC %s is refused because networkd would continue to manage it', async (_, wanted, altname) => {
		const { report, stdout } = await machine.agent([wanted])
		expect(report, stdout).toMatchObject({ changes: 0, interfaces: [{ reason: 'InUse' }] })
		expect(report?.interfaces[0]?.message).toContain(catchAll)
		expect(report?.interfaces[0]?.message).toContain(altname)
		expect(stdout).not.toContain('same after reboot: yes')
	})

	test('a NIC configured before the file existed is reported as not persistent', async () => {
		await machine.ask(`rm ${theirs}; netplan generate; networkctl reload`)
		expect((await machine.agent([quiet])).report).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
		await allEn('name: "en*"')
		await machine.ask('netplan generate')
		await isNotPersistent()
	})

	test('networkd uses that file after a reboot, and a run configures the NIC and reports it as not persistent again', async () => {
		await machine.ask('systemctl daemon-reload')
		await initrdUdev()
		await machine.reboot()
		expect(await machine.ask('grep -h NETWORK_FILE /run/systemd/netif/links/*')).toContain(catchAll)
		await expect.poll(() => link(silent), pace).toBe('multinic1 UNKNOWN')
		await isNotPersistent()
		expect(await link(silent)).toBe('multinic1 UNKNOWN 192.168.21.9/24')
	})

	test('the NIC is persistent once the file is limited to other NICs', async () => {
		await allEn(`name: "en*", macaddress: "${leased}"`)
		await machine.ask('netplan generate')
		const { report, stdout } = await machine.agent([quiet])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', changes: 0, persistent: { status: 'True' } })
	})

	async function isNotPersistent(): Promise<void> {
		const { report, stdout } = await machine.agent([quiet])
		const message = expect.stringMatching(/10-netplan-all-en\.network to multinic1, which also has the name en(p0)?s8/)
		expect(report, stdout).toMatchObject({ persistent: { status: 'False', message } })
		expect(report?.interfaces[0]?.warnings, stdout).toMatchObject([{ reason: 'NotPersistent', message }])
		expect(stdout).not.toContain('same after reboot: yes')
	}

	/** Mimics udev of an initrd at every boot, which adds the alternative name before the files of MultiNIC apply. */
	async function initrdUdev(): Promise<void> {
		const at = (await machine.ports()).find(({ mac }) => mac === silent)?.index
		const unit = '/etc/systemd/system/initrd-udev.service'
		const order = 'DefaultDependencies=no\nBefore=systemd-udevd.service systemd-udev-trigger.service'
		await put(unit, `[Unit]\n${order}\n[Service]\nType=oneshot\nExecStart=-/sbin/ip link property add dev vec${at} altname enp0s8`)
		await machine.ask(`ln -sf ${unit} /etc/systemd/system/sysinit.target.wants/`)
	}
})

describe('cloud-init that reads its network configuration at every boot, and a VLAN that MultiNIC does not manage', () => {
	const nic = wish(0, late, '192.168.30')
	const off = '/etc/cloud/cloud.cfg.d/99-multinic.cfg'
	const trunk = '/etc/netplan/99-z-trunk.yaml'
	const ours = 'multinic0 UNKNOWN 192.168.30.9/24'

	beforeAll(async () => {
		await machine.attachPort({ mac: late, network: 'n30', gateways: ['192.168.30.1/24'], dhcp: true })
		await put('/etc/cloud/cloud.cfg.d/96-updates.cfg', 'updates:\n  network:\n    when: [boot-new-instance, boot]')
	})

	test('a run disables the network configuration of cloud-init', async () => {
		const { report, stdout } = await machine.agent([nic, quiet])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', persistent: { status: 'True' } })
		expect(await machine.ask(`grep -v ^# ${off}`)).toBe('network: {config: disabled}')
	})

	test('cloud-init does not configure the NIC at the next boot although its metadata lists it, and both NICs are configured', async () => {
		const port = (mac: string, name: string, dhcp: boolean) =>
			`  ${name}: {match: {macaddress: "${mac}"}, set-name: ${name}, dhcp4: ${dhcp}, optional: true}`
		const listed = [port(first, 'ens4', false), port(late, 'ens5', true)].join('\n')
		await put('/var/lib/cloud/seed/nocloud/network-config', `version: 2\nethernets:\n${listed}`)
		await machine.reboot()
		await expect.poll(() => link(late), pace).toBe(ours)
		await expect.poll(() => link(silent), pace).toBe('multinic1 UNKNOWN 192.168.21.9/24')
		expect(await machine.ask('ip route show default')).not.toContain('multinic0')
		const { report, stdout } = await machine.agent([nic, quiet])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', changes: 0 })
	})

	test('a removal is refused while another netplan file defines a VLAN on top of the NIC', async () => {
		await put(trunk, 'network:\n  version: 2\n  vlans:\n    trunk100: {id: 100, link: multinic0, addresses: [172.20.0.5/24]}')
		await machine.ask('netplan generate')
		await isRefused(`cat ${trunk}`)
	})

	test('the node has the NIC and the VLAN after a reboot, and the removal is still refused', async () => {
		await machine.reboot()
		await expect.poll(() => machine.ask('ip -br addr show dev trunk100'), pace).toContain('172.20.0.5/24')
		await expect.poll(() => link(late), pace).toBe(ours)
		await isRefused('ip -d link show dev trunk100')
		await machine.ask('ip link del trunk100')
		await isRefused(`cat ${trunk}`)
	})

	test('the removal succeeds once the VLAN and its file are removed, and no file of MultiNIC remains', async () => {
		await machine.ask(`rm ${trunk}`)
		const { report, stdout } = await machine.agent([])
		expect(report, stdout).toMatchObject({ outcome: 'Succeeded', reason: 'NoInterfaces', persistent: { status: 'True' } })
		expect(await link(late)).toMatch(/^vec\d/)
		expect(await machine.ask('find /etc /run /var/lib -name "*multinic*" -not -path "/run/multinic"')).toBe('')
		await machine.ask('netplan generate')
	})

	async function isRefused(cause: string): Promise<void> {
		const { report, stdout } = await machine.agent([])
		expect(report, stdout).toMatchObject({ outcome: 'Failed', reason: 'InUse', message: expect.stringContaining(`(${cause})`) })
		expect(stdout).not.toContain('none are left on the node')
		expect(await link(late)).toBe(ours)
		await machine.ask('netplan generate')
	}
})

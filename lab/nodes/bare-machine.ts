import { stringify } from 'yaml'
import { type Identity, management } from './identity.ts'
import type { NewPort } from './node.ts'
import type { NodeStatus } from './node-status.ts'
import { identitySeed, netplanOf, type SeedFiles } from './seed.ts'
import type { Shell } from './shell.ts'

/** A machine that belongs to no cluster, and how it manages its network. */
export interface NewMachine {
	/** The service that manages the management NIC. With `both` it is systemd-networkd, and NetworkManager also runs. */
	network: 'networkd' | 'networkmanager' | 'both'
	/** Default: true. If false, netplan is removed from the machine; only for `networkmanager`. */
	netplan?: boolean
	/** NICs that cloud-init knew when the machine was created: MAC → the name that cloud-init sets. The NICs must exist at boot. */
	cloudInit?: Readonly<Record<string, string>>
	/** Path → content of files to write before the first boot. */
	files?: Readonly<Record<string, string>>
	/** Additional parameters of the kernel command line: `ipv6.disable=1`. */
	kernelArguments?: readonly string[]
	/** Ports to attach before the first boot. */
	ports?: readonly NewPort[]
}

/** All paths that Debian's netplan package installs. */
const netplanPaths = ['etc/netplan', 'lib/netplan', 'lib/systemd/system-generators/netplan', 'usr/libexec/netplan', 'usr/sbin/netplan']

/** Metric of the management default route. It stays the preferred route, because NetworkManager gives leased routes 100 or more. */
const metric = 50

/** Returns the seed of a bare machine: without kubelet and containerd, and with the requested network services. */
export function bareSeed(node: Identity, machine: NewMachine, sshKey: string): SeedFiles {
	const files = Object.entries(machine.files ?? {}).map(([path, text]) => [path.replace(/^\//, ''), text] as const)
	return {
		...identitySeed(node, sshKey),
		'etc/resolv.conf': '', // there is no DNS server here
		...masked('kubelet.service', 'containerd.service'),
		...networks[machine.network](node, machine.netplan ?? true),
		...(machine.cloudInit && cloudInitSeed(machine.cloudInit)),
		'etc/lab-remove': removed(machine)
			.map(path => `/${path}\n`)
			.join(''),
		...Object.fromEntries(files),
	}
}

const networks: Record<NewMachine['network'], (node: Identity, netplan: boolean) => SeedFiles> = {
	networkd: node => ({ 'etc/netplan/01-mgmt.yaml': netplanOf(node) }),
	both: node => ({ 'etc/netplan/01-mgmt.yaml': netplanOf(node), ...networkManager }),
	networkmanager: (node, netplan) => ({
		...networkManager,
		...masked('systemd-networkd.service', 'systemd-networkd.socket'),
		...(netplan ? { 'etc/netplan/01-mgmt.yaml': netplanOf(node, 'NetworkManager', metric) } : keyfile(node)),
	}),
}

/** Links that `systemctl enable` creates. */
const networkManager: SeedFiles = {
	'etc/systemd/system/multi-user.target.wants/NetworkManager.service': { link: '/lib/systemd/system/NetworkManager.service' },
	'etc/systemd/system/dbus-org.freedesktop.nm-dispatcher.service': { link: '/lib/systemd/system/NetworkManager-dispatcher.service' },
}

function keyfile({ address, mac }: Identity): SeedFiles {
	const connection = '[connection]\nid=mgmt\ntype=ethernet\ninterface-name=mgmt0'
	const ipv4 = `[ipv4]\nmethod=manual\naddress1=${address}/${management.prefix},${management.gateway}\nroute-metric=${metric}`
	return {
		'etc/systemd/network/10-mgmt0.link': `[Match]\nMACAddress=${mac}\n\n[Link]\nName=mgmt0\n`,
		'etc/NetworkManager/system-connections/mgmt.nmconnection': `${connection}\n\n[ethernet]\nmac-address=${mac}\n\n${ipv4}\n`,
	}
}

function masked(...units: readonly string[]): SeedFiles {
	return Object.fromEntries(units.map(unit => [`etc/systemd/system/${unit}`, { link: '/dev/null' }]))
}

/** Configures cloud-init to run only the two stages that concern the network, because the others take half a minute. */
function cloudInitSeed(nics: NonNullable<NewMachine['cloudInit']>): SeedFiles {
	const ethernets = Object.fromEntries(
		Object.entries(nics).map(([mac, name]) => [name, { match: { macaddress: mac }, 'set-name': name, dhcp4: false, optional: true }]),
	)
	return {
		'var/lib/cloud/seed/nocloud/meta-data': 'instance-id: i-lab\n',
		'var/lib/cloud/seed/nocloud/user-data': '#cloud-config\n{}\n',
		'var/lib/cloud/seed/nocloud/network-config': stringify({ version: 2, ethernets }),
		'etc/cloud/cloud.cfg.d/95_lab.cfg': 'datasource_list: [NoCloud]\n',
		...masked('cloud-config.service', 'cloud-final.service'),
	}
}

function removed({ network, netplan = true, cloudInit }: NewMachine): string[] {
	return [...(network === 'networkmanager' && !netplan ? netplanPaths : []), ...(cloudInit ? ['etc/cloud/cloud-init.disabled'] : [])]
}

/**
 * Reads the status of a machine; undefined if it does not respond. It is ready when its boot has finished: systemd is `running` or
 * `degraded`.
 */
export async function bareStatus(node: Identity, shell: Shell): Promise<NodeStatus | undefined> {
	const { stdout } = await shell.run(node, 'cat /proc/sys/kernel/random/boot_id; systemctl is-system-running', { timeoutMs: 5000 })
	const [bootId, state] = stdout.split('\n')
	if (!bootId || !state) return undefined
	return { bootId, ready: state === 'running' || state === 'degraded' }
}

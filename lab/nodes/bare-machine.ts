import { stringify } from 'yaml'
import { type Identity, management } from './identity.ts'
import type { NewPort } from './node.ts'
import type { NodeStatus } from './node-status.ts'
import { identitySeed, netplanOf, type SeedFiles } from './seed.ts'
import type { Shell } from './shell.ts'

/** A machine that belongs to no cluster, and how it manages its network settings. */
export interface NewMachine {
	/** What manages the management NIC; with `both`, systemd-networkd does, and NetworkManager runs too. */
	network: 'networkd' | 'networkmanager' | 'both'
	/** Default: true. If false, the machine has nothing of netplan; only for `networkmanager`. */
	netplan?: boolean
	/** NICs that cloud-init knew when the machine was created: MAC → the name that it sets. They must exist at boot. */
	cloudInit?: Readonly<Record<string, string>>
	/** Path → text; written before the first boot. */
	files?: Readonly<Record<string, string>>
	/** Additional parameters of its kernel command line: `ipv6.disable=1`. */
	kernelArguments?: readonly string[]
	/** Attached before the first boot. */
	ports?: readonly NewPort[]
}

/** Everything that netplan installs, at Debian's paths. */
const netplanPaths = ['etc/netplan', 'lib/netplan', 'lib/systemd/system-generators/netplan', 'usr/libexec/netplan', 'usr/sbin/netplan']

/** The best default route, even if NetworkManager gives leased ones 100 and more. */
const metric = 50

/** Returns the seed of a bare machine: no kubelet, no containerd, and the network daemons that are requested. */
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

/** As `systemctl enable` creates them. */
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

/** Runs only the two stages that concern the network; the others take half a minute. */
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

/** Reads the status of a machine; undefined if it does not answer. It is ready when everything that its boot starts has been started. */
export async function bareStatus(node: Identity, shell: Shell): Promise<NodeStatus | undefined> {
	const { stdout } = await shell.run(node, 'cat /proc/sys/kernel/random/boot_id; systemctl is-system-running', { timeoutMs: 5000 })
	const [bootId, state] = stdout.split('\n')
	if (!bootId || !state) return undefined
	return { bootId, ready: state === 'running' || state === 'degraded' }
}

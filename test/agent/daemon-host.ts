import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Interface } from '../../contract/interface.ts'
import { debianTree } from '../../lab/images/debian-tree.ts'
import { nodePackages } from '../../lab/node-image/node-packages.ts'
import { unpackPackages } from '../../lab/base/packages.ts'
import { type NodeHost, nodeHost, type Ran } from './node-host.ts'

/**
 * A host in a network namespace whose root is a whole Debian: netplan's generator, systemd-networkd and NetworkManager are the
 * distribution's own. No systemd starts them; the test performs a boot step by step. There are two differences from real hardware: a NIC is
 * a veth, which has no permanent MAC, and /sys is read-only, so that both daemons do not wait for udev.
 */
export type DaemonHost = NodeHost & {
	/** Runs a program in the root directory of the host. */
	onHost(program: string, ...args: string[]): Promise<Ran>
	/**
	 * Boots the host: creates all NICs again with the names that MultiNIC's udev rules assign, and starts the daemon, which reads the
	 * files.
	 *
	 * @param more an alternative name of the first NIC; the state of the first NIC to wait for, instead of a final state of every desired
	 * NIC
	 */
	boot(wanted: readonly Partial<Interface>[], more?: { altname?: string; state?: string }): Promise<void>
	/** Waits until duplicate address detection has finished for all addresses of the managed NICs. */
	settled(): Promise<void>
	/** Resets the host: no daemon runs, and each NIC is present and down. */
	startOver(): Promise<void>
}

export type DaemonBackend = 'netplan-networkd' | 'netplan-networkmanager' | 'networkmanager-keyfile'

const setups: Record<DaemonBackend, (host: NodeHost) => void> = {
	'netplan-networkd': () => {},
	'netplan-networkmanager': ({ inner }) =>
		writeFileSync(join(inner, 'etc/netplan/01-theirs.yaml'), 'network: {version: 2, renderer: NetworkManager}\n', { mode: 0o600 }),
	'networkmanager-keyfile': ({ inner }) => rmSync(join(inner, 'etc/netplan'), { recursive: true }),
}

/** @param macs MACs of its NICs; a NIC is `ensN` until a boot names it */
export async function daemonHost(backend: DaemonBackend, macs: readonly string[]): Promise<DaemonHost> {
	const tree = await debianTree('node', nodePackages, await unpackPackages())
	const host = await nodeHost()
	await must(host, 'sh', '-c', mounts, 'sh', host.root, tree)
	for (const path of ['etc/netplan', 'etc/systemd/network', 'etc/NetworkManager/system-connections'])
		for (const name of readdirSync(join(host.inner, path))) rmSync(join(host.inner, path, name), { recursive: true })
	// No neighbour has any of the addresses here, so the kernel does not have to wait a second for each.
	await must(host, 'sysctl', '-qw', 'net.ipv6.conf.default.dad_transmits=0')
	setups[backend](host)
	writeFileSync(join(host.inner, 'etc/NetworkManager/conf.d/peers.conf'), '[keyfile]\nunmanaged-devices=interface-name:peer*\n')
	const onHost = (program: string, ...args: string[]) => host.inside('chroot', [host.root, program, ...args])
	const daemons = daemonsOf(host, backend)
	const turnOff = async () => {
		await daemons.stop()
		await unplug(host, macs)
		clean(host, backend)
	}
	const startOver = async () => {
		await turnOff()
		await host.inside('sh', ['-c', forget, 'sh', host.root])
		await plug(host, macs, n => `ens${n}`)
	}
	await startOver()
	return {
		...host,
		onHost,
		startOver,
		settled: () => settled(host),
		boot: async (wanted, { altname, state } = {}) => {
			await turnOff()
			if (backend.startsWith('netplan')) await must(host, 'chroot', host.root, '/usr/libexec/netplan/generate')
			const asMade = withoutPermanentMacs(host)
			const nameOf = (n: number) =>
				wanted.flatMap(({ macAddress, id }) => (macAddress === macs[n] ? [`multinic${id}`] : []))[0] ?? `ens${n}`
			await plug(host, macs, nameOf)
			if (altname !== undefined) await host.ip(`link property add dev ${nameOf(0)} altname ${altname}`)
			for (const { id } of wanted) await must(host, 'chroot', host.root, '/lib/systemd/systemd-sysctl', ...prefixes(`multinic${id}`))
			await daemons.start(state === undefined ? wanted.map(({ id }) => `multinic${id}`) : [nameOf(0)], state)
			asMade()
			await settled(host)
		},
	}
}

/** `$1`: the directory that becomes the root of the host; `$2`: the lower layer of its overlay, which is not modified. */
const mounts = `set -e
mkdir "$1.plain" "$1.layers"
mount --bind "$1" "$1.plain"
mount -t tmpfs layers "$1.layers"
mkdir "$1.layers/upper" "$1.layers/work"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1.layers/upper,workdir=$1.layers/work" "$1"
mkdir -p "$1/config"
mount --bind "$1.plain/config" "$1/config"
mount --bind /proc "$1/proc"
mount -t sysfs -o ro sysfs "$1/sys"
mount --bind /dev "$1/dev"
mount -t tmpfs run "$1/run"`

/** Removes the files that runs have written below the root `$1`. */
const forget = `cd "$1" && rm -rf var/lib/multinic etc/netplan/99-* etc/udev/rules.d/99-z-* etc/sysctl.d/99-multinic* etc/systemd/network/70-* etc/NetworkManager/system-connections/*`

const prefixes = (name: string) => ['ipv4', 'ipv6'].map(family => `--prefix=/net/${family}/conf/${name}`)

function daemonsOf(host: NodeHost, backend: DaemonBackend) {
	let running: ReturnType<NodeHost['start']>[] = []
	const daemon = backend === 'netplan-networkd' ? networkd : networkmanager
	return {
		async stop() {
			for (const child of running) {
				const ended = new Promise(resolve => child.once('exit', resolve))
				child.kill('SIGKILL')
				await ended
			}
			running = []
		},
		async start(names: readonly string[], state?: string) {
			// networkd drops root privileges.
			if (daemon === networkd) await must(host, 'chroot', host.root, 'chown', '-R', 'systemd-network:', '/run/systemd/netif')
			running.push(host.start('chroot', [host.root, 'dbus-daemon', '--system', '--nofork', '--nopidfile']))
			await until('the bus', () =>
				host.inside('test', ['-S', join(host.root, 'run/dbus/system_bus_socket')]).then(({ code }) => code === 0),
			)
			running.push(host.start('chroot', [host.root, ...daemon.argv], { SYSTEMD_LOG_LEVEL: 'crit' }))
			await until(`${daemon.argv[0]} to configure ${names.join(' ')}`, async () => {
				const { stdout } = await host.inside('chroot', [host.root, ...daemon.list])
				const states = new Map(stdout.split('\n').map(line => daemon.state(line)))
				return names.every(name => (state === undefined ? daemon.settled.has(states.get(name) ?? '') : states.get(name) === state))
			})
		},
	}
}

type Daemon = {
	argv: [string, ...string[]]
	list: string[]
	state(line: string): [name: string, state: string]
	settled: ReadonlySet<string>
}

const networkd: Daemon = {
	argv: ['/lib/systemd/systemd-networkd'],
	list: ['networkctl', 'list', '--no-legend', '--no-pager'],
	state: line => {
		const [, name = '', , , setup = ''] = line.trim().split(/\s+/)
		return [name, setup]
	},
	settled: new Set(['configured', 'failed']),
}

const networkmanager: Daemon = {
	argv: ['NetworkManager', '--debug', '--log-level=ERR'],
	list: ['nmcli', '-t', '-f', 'DEVICE,STATE', 'device'],
	state: line => {
		const [name = '', state = ''] = line.split(':')
		return [name, state]
	},
	settled: new Set(['connected', 'failed']),
}

async function plug(host: NodeHost, macs: readonly string[], nameOf: (n: number) => string): Promise<void> {
	await host.ip(macs.map((mac, n) => `link add ${nameOf(n)} address ${mac} type veth peer name peer${n}\nlink set peer${n} up`).join('\n'))
}

/** Removes the NICs, and the rules. The kernel removes addresses and routes together with their link, but not rules. */
async function unplug(host: NodeHost, macs: readonly string[]): Promise<void> {
	await host.inside('sh', ['-c', macs.map((_, n) => `ip link del peer${n}`).join('\n')])
	for (const family of ['-4', '-6']) {
		const { stdout } = await host.inside('ip', [family, '-j', '-N', 'rule'])
		for (const { priority } of JSON.parse(stdout) as { priority: number }[])
			if (priority !== 0 && priority < 32_766) await host.inside('ip', [family, 'rule', 'del', 'priority', String(priority)])
	}
}

/** Prepares a boot: an empty /run, except for the directories that systemd creates for its services. */
function clean({ inner }: NodeHost, backend: DaemonBackend): void {
	const run = join(inner, 'run')
	for (const name of readdirSync(run)) rmSync(join(run, name), { recursive: true })
	const ofDaemon = backend === 'netplan-networkd' ? ['links', 'leases', 'lldp'].map(name => `systemd/netif/${name}`) : []
	for (const folder of ['dbus', 'systemd/network', ...ofDaemon]) mkdirSync(join(run, folder), { recursive: true })
}

/** @returns a function that restores the files as netplan generated them */
function withoutPermanentMacs({ inner }: NodeHost): () => void {
	const folder = join(inner, 'run/systemd/network')
	const made = readdirSync(folder)
		.filter(name => name.endsWith('.network'))
		.map(name => ({ path: join(folder, name), text: readFileSync(join(folder, name), 'utf8') }))
	for (const { path, text } of made) writeFileSync(path, text.replace('PermanentMACAddress=', 'MACAddress='))
	return () => {
		for (const { path, text } of made) writeFileSync(path, text)
	}
}

async function settled(host: NodeHost): Promise<void> {
	await until('duplicate address detection', async () => {
		const { stdout } = await host.inside('ip', ['-o', 'addr', 'show', 'tentative'])
		return !stdout.includes('multinic')
	})
}

async function must(host: NodeHost, program: string, ...args: string[]): Promise<string> {
	const { code, stdout, stderr } = await host.inside(program, args)
	if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
	return stdout
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
	for (let chance = 0; chance < 300; chance++) {
		if (await isSo()) return
		await sleep(100)
	}
	throw new Error(`waited 30 s for ${what}`)
}

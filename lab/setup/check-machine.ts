import { access, constants } from 'node:fs/promises'
import { freemem } from 'node:os'
import { execa } from 'execa'
import { type Lack, Missing } from '../base/missing.ts'
import { allBinaries, isKitBuilt } from '../kit/kit.ts'

/** The properties of this machine that the lab depends on. */
export interface Machine {
	platform: string
	arch: string
	uid: number
	/** Required programs that were not found. */
	absent: readonly string[]
	/** Whether the Kubernetes binaries already exist. */
	kitBuilt: boolean
	/** The version, such as "go1.26.8"; undefined if Go is not installed. */
	go: string | undefined
	/** Whether new network, mount and process namespaces can be created. */
	namespaces: boolean
	/** Whether /dev/net/tun can be opened. */
	tun: boolean
	freeBytes: number
}

/** Programs that the lab requires, each with its Debian package. The lab downloads everything else itself. */
const programs = {
	'apt-get': 'apt',
	dpkg: 'dpkg',
	unshare: 'util-linux',
	setpriv: 'util-linux',
	flock: 'util-linux',
	tar: 'tar',
	bash: 'bash',
} as const

const nodeBytes = 400 * 2 ** 20
const restBytes = 700 * 2 ** 20

/** Throws `Missing` unless this machine can host a lab with this many nodes. */
export async function checkMachine(nodes: number): Promise<void> {
	const lacks = lacksOf(await inspect(), nodes)
	if (lacks.length > 0) throw new Missing(lacks)
}

/** Returns the prerequisites that are missing for a lab with this many nodes. */
export function lacksOf(machine: Machine, nodes: number): Lack[] {
	if (machine.platform !== 'linux') {
		return [{ part: `Linux (this is ${machine.platform})`, remedy: 'use a Debian 12 machine or VM; `npm run check` works here' }]
	}
	return [
		...lack(
			machine.arch !== 'x64',
			`an x86-64 processor (this is ${machine.arch}); User-Mode Linux supports no other`,
			'use another machine',
		),
		...machine.absent.map(name => ({ part: `the program ${name}`, remedy: `install ${programs[name as keyof typeof programs] ?? name}` })),
		...lack(
			!machine.kitBuilt && !canBuild(machine.go),
			`Go, to build Kubernetes (found: ${machine.go ?? 'none'})`,
			'install Go 1.21 or later from https://go.dev/dl',
		),
		...lack(machine.uid !== 0, 'root: the nodes need network devices', 'run it as root, or with sudo'),
		...lack(
			machine.uid === 0 && !machine.namespaces,
			'permission to create network and process namespaces',
			'in a container, give it --privileged or CAP_SYS_ADMIN and CAP_NET_ADMIN',
		),
		...lack(machine.uid === 0 && !machine.tun, 'the device /dev/net/tun', 'modprobe tun; in a container, --device /dev/net/tun'),
		...lack(
			machine.freeBytes < restBytes + nodes * nodeBytes,
			`memory: ${nodes} nodes need ${gib(restBytes + nodes * nodeBytes)}, ${gib(machine.freeBytes)} are free`,
			'stop other processes, or start with fewer --nodes',
		),
	]
}

/** Reports whether this is Go 1.21 or later, which downloads the release that a go.mod requires. */
function canBuild(go: string | undefined): boolean {
	const minor = go?.match(/^go1\.(\d+)/)?.[1]
	return minor !== undefined && Number(minor) >= 21
}

function lack(isMissing: boolean, part: string, remedy: string): Lack[] {
	return isMissing ? [{ part, remedy }] : []
}

function gib(bytes: number): string {
	return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

async function inspect(): Promise<Machine> {
	const found = await Promise.all(Object.keys(programs).map(async name => ((await works('sh', '-c', `command -v ${name}`)) ? [] : [name])))
	return {
		platform: process.platform,
		arch: process.arch,
		uid: process.getuid?.() ?? -1,
		absent: found.flat(),
		kitBuilt: await isKitBuilt(allBinaries),
		go: (await execa('go', ['env', 'GOVERSION'], { reject: false })).stdout || undefined,
		namespaces: await works('unshare', '--mount', '--net', '--pid', '--fork', '--mount-proc', 'true'),
		tun: await access('/dev/net/tun', constants.R_OK | constants.W_OK).then(
			() => true,
			() => false,
		),
		freeBytes: freemem(),
	}
}

async function works(program: string, ...args: string[]): Promise<boolean> {
	const { failed } = await execa(program, args, { reject: false, stdio: 'ignore' })
	return !failed
}

import { rmSync } from 'node:fs'
import type { AgentReport } from '../../contract/agent-run.ts'
import { failure, wordsOf } from '../failure.ts'
import { exec } from './exec.ts'
import { putFile, readFile } from './files.ts'
import type { FileState, HostState } from './state.ts'
import { generatedPaths, NETWORK_FOLDER, SCRATCH_FOLDER } from '../paths.ts'
import type { Generated } from '../plan.ts'
import { recordOf, type Accepted } from '../select.ts'
import { isNetplan } from '../persist/backend.ts'
import { contradiction, type Contradiction } from '../persist/contradict.ts'
import { netplanFiles } from '../persist/netplan.ts'

/**
 * What netplan's own generator makes of our files, in a scratch root beside copies of the host's: the real /run is never touched by it.
 * Where the files are on the host already as they were made, it is not run.
 *
 * @throws Failure COMMAND_FAILED when the generator refuses
 */
export async function generate(root: string, accepted: readonly Accepted[], host: HostState): Promise<Generated> {
	if (host.generator === undefined || accepted.length === 0) return {}
	const names = accepted.map(({ nic }) => nic.name)
	if (accepted.every(one => isGenerated(one, host))) return pick(names, path => host.files[path])
	const scratch = root + SCRATCH_FOLDER
	try {
		putInput(scratch, netplanInput(accepted, host))
		const { code, stderr } = await exec('chroot', [root, host.generator, '--root-dir', SCRATCH_FOLDER])
		if (code !== 0) throw failure('COMMAND_FAILED', `netplan's generator refuses: ${causeIn(stderr)}`)
		return pick(names, path => readFile(scratch + path))
	} finally {
		rmSync(scratch, { recursive: true, force: true })
	}
}

/** It warns of other things first, and names the copies that it was given. */
function causeIn(stderr: string): string {
	const lines = stderr.replaceAll(SCRATCH_FOLDER, '').split('\n')
	return lines.filter(line => line.trim() && !line.includes('WARNING **')).join(' ')
}

function putInput(scratch: string, files: Record<string, FileState>): void {
	try {
		rmSync(scratch, { recursive: true, force: true })
		for (const [path, file] of Object.entries(files)) putFile(scratch + path, file)
	} catch (error) {
		throw failure('COMMAND_FAILED', `what netplan's generator is to read cannot be written, so nothing was changed: ${wordsOf(error)}`, {
			cause: error,
		})
	}
}

/** Is the same after a reboot what is now? Files, what contradicts them, and udev's own verdict on each link. */
export async function prove(root: string, accepted: readonly Accepted[], host: HostState): Promise<Proof> {
	if (!host.systemd) return unknown('no systemd here')
	if (host.generator === undefined) return unknown("netplan's generator is not on this host")
	const found = await Promise.all(accepted.map(async one => ({ id: one.nic.id, ...(await proveOne(root, one, host)) })))
	const warnings = new Map(found.flatMap(({ id, against }) => (against ? [[id, against] as const] : [])))
	const [first] = warnings.values()
	if (first) return { persistent: { status: 'False', message: first.message }, warnings }
	const silent = found.find(({ unasked }) => unasked !== undefined)
	if (silent?.unasked !== undefined) return unknown(silent.unasked)
	return { persistent: { status: 'True', message: 'same after reboot' }, warnings }
}

export type Proof = { persistent: AgentReport['persistent']; warnings: ReadonlyMap<number, Contradiction> }

function unknown(message: string): Proof {
	return { persistent: { status: 'Unknown', message }, warnings: new Map() }
}

function isGenerated({ nic, ours }: Accepted, host: HostState): boolean {
	const made = generatedPaths(nic.name)
	const same = ([path, { content }]: [string, FileState]) => host.files[path]?.content === content
	return (
		Object.entries(netplanFiles(nic)).every(same) &&
		made.every(path => ours?.files[path] !== undefined && host.files[path]?.content === ours.files[path].after)
	)
}

/** Files of links that are given back in this run are left out. */
function netplanInput(accepted: readonly Accepted[], host: HostState): Record<string, FileState> {
	const ours = new Set(recordOf(host).links.flatMap(({ files }) => Object.keys(files)))
	const theirs = Object.entries(host.files).filter(([path]) => isNetplan(path) && !ours.has(path))
	const made = accepted.flatMap(({ nic }) => Object.entries(netplanFiles(nic)).filter(([path]) => isNetplan(path)))
	return Object.fromEntries([...theirs, ...made])
}

function pick(names: readonly string[], read: (path: string) => FileState | undefined): Generated {
	const found = names.flatMap(generatedPaths).map(path => [path, read(path)] as const)
	return Object.fromEntries(found.flatMap(([path, file]) => (file ? [[path, file]] : [])))
}

type Finding = { against?: Contradiction; unasked?: string }

async function proveOne(root: string, { nic }: Accepted, host: HostState): Promise<Finding> {
	const against = contradiction(nic, host)
	if (against) return { against }
	const { stdout, stderr } = await exec('chroot', [root, 'udevadm', 'test-builtin', 'net_setup_link', `/sys/class/net/${nic.name}`])
	const file = /^ID_NET_LINK_FILE=(.*)$/m.exec(stdout)?.[1]
	if (file === undefined)
		return { unasked: `udev does not say which .link it would follow for ${nic.name}: ${stderr.trim().split('\n').at(-1)}` }
	return file === `${NETWORK_FOLDER}/10-netplan-${nic.name}.link`
		? {}
		: { against: { reason: 'NotPersistent', message: `udev would follow ${file} for ${nic.name}, not ours` } }
}

import { execOnHost } from '../host/exec.ts'
import type { Contradiction, Proof } from '../model/boot-proof.ts'
import type { HostState } from '../model/host-state.ts'
import type { Accepted } from '../model/selection.ts'
import { backendFor, backendOf } from '../persist/backend.ts'
import { PROFILE_FIELDS, profileFaults, profileUuid } from '../persist/networkmanager-profile.ts'
import { isProfileFor } from '../persist/rival-profiles.ts'
import { lastNamed } from '../persist/udev-names.ts'
import type { Generator } from './netplan-generator.ts'
import { type RivalProfile, rivalsOf } from './rival-profiles.ts'

/** boot/: predicts what the next boot does with the files on the host. */

/**
 * Checks whether a reboot preserves the current state, based on files that contradict MultiNIC's and on reports of udev and the backend.
 */
export async function prove(root: string, accepted: readonly Accepted[], host: HostState, generator: Generator): Promise<Proof> {
	if (!host.systemd) return unknown('no systemd on this host')
	const missing = missingProgram(host)
	if (missing) return unknown(missing)
	const complaint = await generator.complaint(accepted, host)
	if (complaint !== undefined) return refusedAsAWhole(accepted, complaint)
	const rivals = await rivalsOf(root, accepted, host)
	const found = await Promise.all(accepted.map(async one => ({ id: one.nic.id, ...(await proveOne(root, one, { host, rivals })) })))
	const warnings = new Map(found.flatMap(({ id, against }) => (against ? [[id, against] as const] : [])))
	const [first] = warnings.values()
	if (first) return { persistent: { status: 'False', message: first.message }, warnings }
	const silent = found.find(({ unknownWhy }) => unknownWhy !== undefined)
	if (silent?.unknownWhy !== undefined) return unknown(silent.unknownWhy)
	return { persistent: { status: 'True', message: 'same after reboot' }, warnings }
}

/** Reports the complaint once, on the interface that the message names, if any. */
function refusedAsAWhole(accepted: readonly Accepted[], message: string): Proof {
	const named = accepted.find(({ nic }) => message.includes(nic.name))
	const warnings = new Map(named ? [[named.nic.id, { reason: 'NotPersistent' as const, message }]] : [])
	return { persistent: { status: 'False', message }, warnings }
}

function unknown(message: string): Proof {
	return { persistent: { status: 'Unknown', message }, warnings: new Map() }
}

/** The program that will read MultiNIC's files at boot must be available now, so that it can be queried about them. */
function missingProgram(host: HostState): string | undefined {
	const backend = backendOf(host)
	if (!('backend' in backend)) return backend.unknown
	if (backend.backend.startsWith('netplan') && host.generator === undefined) return "netplan's generator is not on this host"
	if (backend.backend !== 'netplan-networkd' && !host.networkmanager) return 'NetworkManager is not running'
}

type Finding = { against?: Contradiction; unknownWhy?: string }
type BackendState = { host: HostState; rivals: readonly RivalProfile[] }

async function proveOne(root: string, { nic }: Accepted, { host, rivals }: BackendState): Promise<Finding> {
	const keeping = backendFor(host)
	const byUdev = keeping.link ? await linkFinding(root, nic.name, keeping.link(nic.name)) : {}
	if (byUdev.against || byUdev.unknownWhy !== undefined || !keeping.profile) return byUdev
	const rival = rivals.find(({ nics }) => isProfileFor(nic, nics))
	if (rival)
		return notPersistent(
			`NetworkManager may activate the profile '${rival.name}' on ${nic.name}, which matches it and has the same priority as MultiNIC's (nmcli connection show ${rival.uuid})`,
		)
	const args = ['-t', '-e', 'no', '-f', PROFILE_FIELDS.join(','), 'connection', 'show', profileUuid(nic)]
	const { code, stdout, stderr } = await execOnHost(root, 'nmcli', args)
	if (code !== 0) return notPersistent(`NetworkManager has not loaded the profile of ${nic.name}: ${stderr.trim()}`)
	const faults = profileFaults(nic, stdout)
	return faults.length === 0 ? {} : notPersistent(`NetworkManager interprets the profile of ${nic.name} differently: ${faults.join('; ')}`)
}

/** The last rule that assigns a name decides. If udev reports none, the .link file that it would use decides. @see udevadm(8), test */
async function linkFinding(root: string, name: string, ours: string): Promise<Finding> {
	const { stdout, stderr } = await execOnHost(root, 'udevadm', ['test', `/sys/class/net/${name}`])
	const output = `${stdout}\n${stderr}`
	const named = lastNamed(output)
	if (named)
		return named.name === name ? {} : notPersistent(`udev would name the link ${named.name} and not ${name}, because of ${named.by}`)
	const file = /^ID_NET_LINK_FILE=(.*)$/m.exec(output)?.[1]
	if (file === undefined) return { unknownWhy: `udev does not report how it would name ${name}: ${stderr.trim().split('\n').at(-1)}` }
	return file === ours ? {} : notPersistent(`udev would apply ${file} to ${name} and not the file of MultiNIC`)
}

function notPersistent(message: string): Finding {
	return { against: { reason: 'NotPersistent', message } }
}

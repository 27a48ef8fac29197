import type { Proof } from '../model/boot-proof.ts'
import type { Step } from '../model/change.ts'
import type { FileState, HostState } from '../model/host-state.ts'
import { contradictions } from '../persist/contradictions.ts'
import type { Plan } from '../plan/plan.ts'

/** Why it is impossible or useless to check whether the current state would survive a reboot; undefined if it can be checked. */
export function unprovable({ steps, accepted, refused }: Plan, dry: boolean): string | undefined {
	if (dry && steps.length > 0) return 'checked after the changes are made'
	// a refused interface may still be on the host, with everything that an earlier run configured
	if (accepted.length === 0 && refused.length > 0) return 'no interface can be configured, so the state after a reboot was not checked'
}

/**
 * @returns the proof, including conflicting files that MultiNIC does not manage. Finding these needs no query, so they are known in every
 *   mode and on every host
 */
export function contradicted(proof: Proof, { accepted, steps }: Plan, host: HostState): Proof {
	const against = contradictions(
		accepted.map(({ nic }) => nic),
		filesAfter(steps, host),
	)
	const [first] = against.values()
	if (!first) return proof
	// A report of a daemon about a file is more precise than the fact that the agent cannot read the file.
	const { status, message } = proof.persistent
	const persistent = { status: 'False', message: first.isUnclear && status === 'False' ? message : first.message } as const
	const warnings = [...against].map(([id, found]) => [id, { reason: found.reason, message: found.message }] as const)
	return { persistent, warnings: new Map([...proof.warnings, ...warnings]) }
}

/** Returns the host with the files that it will have after these steps. */
function filesAfter(steps: readonly Step[], host: HostState): HostState {
	const files: Record<string, FileState | undefined> = { ...host.files }
	for (const { change } of steps) {
		if (change?.kind === 'writeFile') files[change.path] = change.file
		if (change?.kind === 'removeFile') files[change.path] = undefined
	}
	const there = Object.entries(files).filter((one): one is [string, FileState] => one[1] !== undefined)
	return { ...host, files: Object.fromEntries(there) }
}

/** @returns the result for a reboot that was not checked */
export function unproven(message: string): Proof {
	return { persistent: { status: 'Unknown', message }, warnings: new Map() }
}

/** @returns `yes`, or `no` or `unknown` followed by the reason */
export function rebootWords({ persistent: { status, message } }: Proof): string {
	return status === 'True' ? 'yes' : `${status === 'False' ? 'no' : 'unknown'}, ${message}`
}

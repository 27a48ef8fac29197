import { execOnHost } from '../host/exec.ts'
import type { HostState } from '../model/host-state.ts'
import type { Accepted } from '../model/selection.ts'
import { backendFor } from '../persist/backend.ts'
import { profileUuid } from '../persist/networkmanager-profile.ts'
import { FIT_FIELDS, type Rival, RIVAL_FIELDS, rivals } from '../persist/rival-profiles.ts'

/** A profile that MultiNIC does not manage and that has at least the priority of MultiNIC's own, with the NICs to which it applies. */
export type RivalProfile = Rival & { nics: string }

/** Runs one query for all NICs, and another one for each profile with at least the priority of MultiNIC's own, which is rare. */
export async function rivalsOf(root: string, accepted: readonly Accepted[], host: HostState): Promise<RivalProfile[]> {
	if (accepted.length === 0 || !backendFor(host).profile) return []
	const found = rivals(await show(root, RIVAL_FIELDS), new Set(accepted.map(({ nic }) => profileUuid(nic))))
	return Promise.all(found.map(async rival => ({ ...rival, nics: await show(root, FIT_FIELDS, rival.uuid) })))
}

async function show(root: string, fields: readonly string[], ...which: string[]): Promise<string> {
	return (await execOnHost(root, 'nmcli', ['-t', '-e', 'no', '-f', fields.join(','), 'connection', 'show', ...which])).stdout
}

import type { HostState } from '../model/host-state.ts'
import { OUR_PATHS } from '../model/paths.ts'
import type { Accepted } from '../model/selection.ts'
import { keepingOf } from '../persist/backend.ts'
import { type Files, netplanFilesOf } from '../persist/netplan-after.ts'
import { isSameBelow } from '../persist/networkd-match.ts'
import type { Verdict } from './generator-output.ts'

type Known = { accepted: readonly Accepted[]; host: HostState }

/**
 * @returns the first file that netplan would generate differently at boot than it is on the host now, ignoring what is on top of the link
 */
export function changedAtBoot(paths: readonly string[], { files }: Verdict, host: HostState): string | undefined {
	return paths.find(path => !isSameBelow(files[path]?.content, host.files[path]?.content))
}

/**
 * Reports which netplan file not managed by MultiNIC is the cause of a changed file: the one that changes it in combination with MultiNIC's
 * files alone, or without which it does not change. Both are tried because files may refer to each other, and netplan rejects unresolved
 * references.
 *
 * @param changed of `changedAtBoot`
 * @param input all netplan files
 */
export async function changeWords(
	changed: string,
	input: Files,
	{ accepted, host }: Known,
	ask: (files: Files) => Promise<Verdict>,
): Promise<string> {
	const { nic } = accepted.find(one => keepingOf(host).generated(one.nic.name).includes(changed)) ?? {}
	const isChanged = (verdict: Verdict) =>
		verdict.complaint === undefined ? changedAtBoot([changed], verdict, host) !== undefined : undefined
	const ours = netplanFilesOf(accepted, host)
	for (const [path, file] of Object.entries(input)) {
		if (OUR_PATHS.has(path)) continue
		const { [path]: _, ...rest } = input
		if (isChanged(await ask({ ...ours, [path]: file })) === true || isChanged(await ask(rest)) === false)
			return `${path} changes what the next boot makes of ${nic?.name} (cat ${path}): take ${nic?.name} out of that file`
	}
	return `netplan would make another ${changed} at the next boot (netplan get)`
}

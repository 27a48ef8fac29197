import type { HostState } from '../model/host-state.ts'
import { OUR_PATHS } from '../model/paths.ts'
import type { Accepted } from '../model/selection.ts'
import { backendFor } from '../persist/backend.ts'
import { type NetplanFiles, netplanFilesOf } from '../persist/netplan-after.ts'
import { isSameBelow } from '../persist/networkd-match.ts'
import type { GeneratorOutput } from './generator-output.ts'

type AcceptedOnHost = { accepted: readonly Accepted[]; host: HostState }

/**
 * @returns the first file whose content netplan would generate differently at boot than it is on the host now; ignores configuration on top
 *   of the link
 */
export function changedAtBoot(paths: readonly string[], { files }: GeneratorOutput, host: HostState): string | undefined {
	return paths.find(path => !isSameBelow(files[path]?.content, host.files[path]?.content))
}

/**
 * Finds the netplan file not managed by MultiNIC that causes a file to change: either the file changes when only this one is added to
 * MultiNIC's own files, or it does not change without this one. Both are tried because files may refer to each other, and netplan rejects
 * unresolved references.
 *
 * @param changed result of `changedAtBoot`
 * @param input all netplan files
 */
export async function changeCause(
	changed: string,
	input: NetplanFiles,
	{ accepted, host }: AcceptedOnHost,
	generate: (files: NetplanFiles) => Promise<GeneratorOutput>,
): Promise<string> {
	const { nic } = accepted.find(one => backendFor(host).generated(one.nic.name).includes(changed)) ?? {}
	const isChanged = (verdict: GeneratorOutput) =>
		verdict.complaint === undefined ? changedAtBoot([changed], verdict, host) !== undefined : undefined
	const ours = netplanFilesOf(accepted, host)
	for (const [path, file] of Object.entries(input)) {
		if (OUR_PATHS.has(path)) continue
		const { [path]: _, ...rest } = input
		if (isChanged(await generate({ ...ours, [path]: file })) === true || isChanged(await generate(rest)) === false)
			return `${path} changes the configuration of ${nic?.name} at the next boot (cat ${path}): remove ${nic?.name} from that file`
	}
	return `netplan would create a different ${changed} at the next boot (netplan get)`
}

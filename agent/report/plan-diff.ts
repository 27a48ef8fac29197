import type { PlannedDiff } from '../../contract/agent-run.ts'
import { shownDevice } from '../ip/device-word.ts'
import type { Step } from '../model/change.ts'
import type { HostState } from '../model/host-state.ts'
import { worstDisruption } from './disruption.ts'
import { shownCommand } from './shown-command.ts'

/** Returns everything that these steps would change on the host, as commands that a user could run. */
export function diffOf(steps: readonly Step[], host: HostState): PlannedDiff {
	const device = shownDevice(host.links)
	const commands = steps.map(step => shownCommand(step, device))
	const spokenOf = new Set(commands.flatMap(command => command.match(/\bif\d+\b/g) ?? []))
	return {
		commands,
		links: Object.fromEntries(host.links.flatMap(({ ifindex, name }) => (spokenOf.has(device(ifindex)) ? [[device(ifindex), name]] : []))),
		files: steps.flatMap(step => fileOf(step, host) ?? []),
		disruption: worstDisruption(steps, host),
	}
}

/**
 * Shows only the content of files that MultiNIC generates. Restored files and the record contain the content of other files, which may
 * include secrets of other programs.
 */
function fileOf({ id, change }: Step, { files }: HostState): PlannedDiff['files'][number] | undefined {
	if (change?.kind === 'removeFile') return { path: change.path, action: 'remove' }
	if (change?.kind !== 'writeFile') return undefined
	const { path, file } = change
	const isOurs = id !== undefined && /multinic[0-9.]/.test(path)
	return {
		path,
		action: files[path] ? 'change' : 'create',
		mode: file.mode.toString(8),
		bytes: new TextEncoder().encode(file.content).length,
		...(isOurs && { content: file.content }),
	}
}

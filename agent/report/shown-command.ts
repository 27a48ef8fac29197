import { ARPING_ARGS } from '../host/arping.ts'
import { stepWords } from '../ip/change-words.ts'
import { type Device, shownDevice } from '../ip/device-word.ts'
import { formatChange } from '../ip/format-change.ts'
import { withTableNames } from '../ip/table-names.ts'
import type { Action, Step } from '../model/change.ts'
import { settingPath } from '../model/paths.ts'

/**
 * Formats one step as a user would type it. A run executes `ip` lines with `ip -batch`; individual commands have the same effect. Links are
 * shown as `if<ifindex>`, where the batch uses a longer word, and tables by name. Steps that run no program are described in words.
 *
 * @param device needed on hosts where a link is named like `if3`
 */
export function shownCommand(step: Step, device: Device = shownDevice()): string {
	const { change, action } = step
	if (action) return shownAction(action)
	const spelled = formatChange(change, device)
	if (spelled) return `ip ${spelled.family === 6 ? '-6 ' : ''}${withTableNames(spelled.line)}`
	return change.kind === 'sysctl' ? `sysctl -w ${settingPath(change.name, change.key)}=${change.value}` : stepWords(step)
}

function shownAction(action: Action): string {
	switch (action.kind) {
		case 'waitForNames':
			return `networkctl list, nmcli device, whichever is installed, until it shows ${action.names.join(' ')}`
		case 'unmanage':
		case 'manage':
			return `nmcli device set ${action.name} managed ${action.kind === 'manage' ? 'yes' : 'no'}`
		case 'reloadUdev':
			return 'udevadm control --reload'
		case 'loadProfiles':
			return `nmcli connection load ${action.paths.join(' ')}`
		case 'checkDuplicates':
			return action.ips.map(ip => `arping -D ${ARPING_ARGS.join(' ')} -I ${action.name} ${ip}`).join('; ')
	}
}

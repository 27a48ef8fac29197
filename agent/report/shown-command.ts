import { ARPING_ARGS } from '../host/arping.ts'
import { stepWords } from '../ip/change-words.ts'
import { type Device, shownDevice } from '../ip/device-word.ts'
import { formatChange } from '../ip/format-change.ts'
import { withTableNames } from '../ip/table-names.ts'
import type { Change } from '../model/change.ts'
import { settingPath } from '../model/paths.ts'

/**
 * Formats one change as a person would type it. `ip` lines run through `ip -batch` and mean the same individually. Links are shown as
 * `if<ifindex>`, where the batch uses a longer word, and tables by name. Changes that run no program are described in words.
 *
 * @param device for hosts where a link has such a name
 */
export function shownCommand(change: Change, device: Device = shownDevice()): string {
	const spelled = formatChange(change, device)
	if (spelled) return `ip ${spelled.family === 6 ? '-6 ' : ''}${withTableNames(spelled.line)}`
	switch (change.kind) {
		case 'sysctl':
			return `sysctl -w ${settingPath(change.name, change.key)}=${change.value}`
		case 'seen':
			return `networkctl list, nmcli device, whichever is there, until it shows ${change.names.join(' ')}`
		case 'unmanage':
		case 'manage':
			return `nmcli device set ${change.name} managed ${change.kind === 'manage' ? 'yes' : 'no'}`
		case 'reload':
			return 'udevadm control --reload'
		case 'load':
			return `nmcli connection load ${change.paths.join(' ')}`
		case 'ask':
			return change.ips.map(ip => `arping -D ${ARPING_ARGS.join(' ')} -I ${change.name} ${ip}`).join('; ')
		default:
			return stepWords({ change })
	}
}

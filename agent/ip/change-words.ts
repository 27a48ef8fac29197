import type { Action, Change, Step } from '../model/change.ts'
import { ruleSelector } from './format-selector.ts'
import { tableWord } from './table-names.ts'

/** Describes one change or action in a few words, for logs and messages. */

export function stepWords({ change, action }: Step): string {
	return change ? changeWords(change) : actionWords(action)
}

export function changeWords(change: Change): string {
	switch (change.kind) {
		case 'rename':
			return `rename to ${change.to}`
		case 'mtu':
			return `mtu ${change.bytes}`
		case 'addAddress':
			return change.address.cidr
		case 'removeAddress':
			return `without ${change.address.cidr}`
		case 'addRoute':
		case 'removeRoute':
			return `${change.kind === 'addRoute' ? '' : 'without '}route ${change.route.to} in table ${tableWord(change.route.table)}`
		case 'addRule':
		case 'removeRule':
			return `${change.kind === 'addRule' ? '' : 'without '}rule ${ruleSelector(change.rule)}`
		default:
			return otherWords(change)
	}
}

function otherWords(change: Change): string {
	if (change.kind === 'sysctl') return `${change.key} ${change.value}`
	if (change.kind === 'writeFile') return `write ${change.path}`
	if (change.kind === 'removeFile') return `remove ${change.path}`
	return 'name' in change ? `${change.kind} ${change.name}` : change.kind
}

function actionWords(action: Action): string {
	switch (action.kind) {
		case 'waitForNames':
			return `wait for ${action.names.join(', ')}`
		case 'checkDuplicates':
			return `check for duplicates of ${action.ips.join(', ')}`
		case 'unmanage':
			return 'NetworkManager releases it'
		case 'manage':
			return 'NetworkManager manages it'
		case 'reloadUdev':
			return 'udev reloads its rules'
		case 'loadProfiles':
			return 'NetworkManager reads the profiles'
	}
}

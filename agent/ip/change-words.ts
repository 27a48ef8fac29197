import type { Change, Step } from '../model/change.ts'
import { ruleSelector } from './format-selector.ts'
import { tableWord } from './table-names.ts'

/** Describes one change in a few words, for logs and messages. */

export function stepWords({ change }: Step): string {
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
	if (change.kind === 'ask') return `ask for ${change.ips.join(', ')}`
	if (change.kind === 'unmanage') return 'NetworkManager releases it'
	if (change.kind === 'manage') return 'NetworkManager manages it'
	if (change.kind === 'reload') return 'udev reloads its rules'
	if (change.kind === 'load') return 'NetworkManager reads the profiles'
	if (change.kind === 'writeFile' || change.kind === 'removeFile')
		return `${change.kind === 'writeFile' ? 'write' : 'remove'} ${change.path}`
	return 'name' in change ? `${change.kind} ${change.name}` : change.kind
}

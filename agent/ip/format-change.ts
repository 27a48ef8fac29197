import type { Change } from '../model/change.ts'
import type { Rule } from '../model/host-state.ts'
import { type Device, deviceWord } from './device-word.ts'
import { addressToAdd, addressToRemove } from './format-address.ts'
import { neighbourToAdd, nextHopObjectToAdd, routeToAdd, routeToRemove } from './format-route.ts'
import { ruleSelector } from './format-selector.ts'

/** ip/: the syntax of iproute2, in both directions: the commands that a run executes, and the output of `ip -j`. Pure. */

/**
 * A line for `ip -batch`. IPv6 rules need `ip -6 -batch`, because a rule line has no other way to specify its family. `alone`: if the
 * kernel rejects the line, `ip` ends the whole batch even with `-force`, so the batch must contain no other line. @see ipneigh_modify of
 * iproute2
 */
export type IpLine = { family?: 6; alone?: true; line: string }

/**
 * Formats one change in the syntax of `ip`.
 *
 * @param device how to identify a link; the form for users differs from the form for `ip`
 * @returns undefined for a change that is not made with `ip`
 */
export function formatChange(change: Change, device: Device = deviceWord): IpLine | undefined {
	switch (change.kind) {
		case 'rename':
			return { line: `link set dev ${device(change.link)} name ${change.to}` }
		case 'up':
		case 'down':
			return { line: `link set dev ${device(change.link)} ${change.kind}` }
		case 'mtu':
			return { line: `link set dev ${device(change.link)} mtu ${change.bytes}` }
		case 'addAltname':
		case 'removeAltname':
			return { line: `link property ${change.kind === 'addAltname' ? 'add' : 'del'} dev ${device(change.link)} altname ${change.name}` }
		case 'addAddress':
			return { line: addressToAdd(change.address, change.link, device) }
		case 'removeAddress':
			return { line: addressToRemove(change.address, change.link, device) }
		default:
			return spellRouting(change, device)
	}
}

function spellRouting(change: Change, device: Device): IpLine | undefined {
	switch (change.kind) {
		case 'addRoute':
			return { line: `route ${verbFor(change)} ${routeToAdd(change.route, device)}` }
		case 'removeRoute':
			return { line: `route del ${routeToRemove(change.route, device)}` }
		case 'addNextHop':
			return { ...(change.object.family === 6 && { family: 6 as const }), line: nextHopObjectToAdd(change.object, device) }
		case 'addNeighbour':
			return { line: neighbourToAdd(change.neighbour, device), alone: true }
		case 'addRule':
			return rule(change.rule, 'add')
		case 'removeRule':
			return rule(change.rule, 'del')
		default:
			return undefined
	}
}

function verbFor({ replace }: Extract<Change, { kind: 'addRoute' }>): string {
	return replace ? 'replace' : 'add'
}

function rule(
	{ family, priority, table, ...selected }: Pick<Rule, 'family' | 'from' | 'to' | 'priority' | 'table'>,
	verb: 'add' | 'del',
): IpLine {
	const line = `rule ${verb} ${ruleSelector(selected)} priority ${priority} table ${table}${verb === 'add' ? ' protocol 4' : ''}`
	return family === 6 ? { family, line } : { line }
}

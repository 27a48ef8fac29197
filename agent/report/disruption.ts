import type { Disruption } from '../../contract/agent-run.ts'
import { type Change, changesIn, type Step } from '../model/change.ts'
import { type Check, firstOf } from '../model/check.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { linksOf } from '../model/route.ts'

/** `isUnmanaged`: whether NetworkManager releases the link. */
type CheckInput = { link: Link; changes: readonly Change[]; isUnmanaged: boolean }

/** Minimum MTU of IPv6 (RFC 8200); below it, the kernel removes a link's IPv6 addresses. */
const MTU_OF_SIX = 1_280

/** Checked in order: the first that applies determines how the steps affect the use of a link. */
const checks: readonly Check<CheckInput, Disruption>[] = [
	addressGoes,
	addressForgotten,
	addressMayGo,
	carriesNothing,
	takenDown,
	takenFromItsDaemon,
	renamed,
	otherMtu,
	otherWay,
]

const none: Disruption = { class: 'None', because: 'nothing in use is removed' }

/**
 * Returns how steps disrupt what is currently in use on a link. Settings, files and mere additions disrupt nothing.
 *
 * @param steps that touch this link
 */
export function disruptionOf(steps: readonly Step[], link: Link): Disruption {
	const isUnmanaged = steps.some(({ action }) => action?.kind === 'unmanage')
	return firstOf(checks, { link, changes: changesIn(steps), isUnmanaged }) ?? none
}

/** @returns the worst disruption on any of the links that these steps touch */
export function worstDisruption(steps: readonly Step[], { links }: HostState): Disruption {
	const all = links.map(link => disruptionOf(stepsOf(steps, link), link))
	const first = (wanted: Disruption['class']) => all.find(one => one.class === wanted)
	return first('AddressLost') ?? first('Blip') ?? first('None') ?? none
}

/** @returns the steps that touch this link */
export function stepsOf(steps: readonly Step[], { ifindex, name, addresses }: Link): Step[] {
	const isHere = ({ change, action }: Step) => {
		if (action) return 'link' in action && action.link === ifindex
		if ('link' in change) return change.link === ifindex
		if ('route' in change) return linksOf(change.route).includes(ifindex)
		if ('rule' in change) return addresses.some(({ cidr }) => cidr.split('/')[0] === change.rule.from.split('/')[0])
		return change.kind === 'sysctl' && change.name === name
	}
	return steps.filter(isHere)
}

function addressGoes({ link, changes }: CheckInput): Disruption | undefined {
	const gone = changes.find(change => change.kind === 'removeAddress' && link.addresses.some(({ cidr }) => cidr === change.address.cidr))
	if (gone?.kind === 'removeAddress') return { class: 'AddressLost', because: `${gone.address.cidr} is removed from ${link.name}` }
}

function addressForgotten({ link, changes }: CheckInput): Disruption | undefined {
	const six = link.up ? link.addresses.find(({ family, global }) => family === 6 && global) : undefined
	const forgets = changes.some(({ kind, ...change }) => kind === 'down' || ('bytes' in change && change.bytes < MTU_OF_SIX))
	if (six && forgets)
		return {
			class: 'AddressLost',
			because: `${link.name} loses ${six.cidr} while it is down or its MTU is too small, and may get it again`,
		}
}

/** NetworkManager may remove the addresses that it added. systemd-networkd removes its own once the link is down or has another name. */
function addressMayGo({ link, changes, isUnmanaged }: CheckInput): Disruption | undefined {
	const given = link.up ? link.addresses.find(({ global }) => global) : undefined
	if (!given) return undefined
	const daemon = isUnmanaged ? 'NetworkManager' : isMoved(changes) ? link.managedBy : undefined
	if (daemon) return { class: 'AddressLost', because: `${daemon} releases ${link.name} and may remove ${given.cidr}` }
}

function carriesNothing({ link }: CheckInput): Disruption | undefined {
	if (!link.up) return { class: 'None', because: `${link.name} is down and carries no traffic` }
}

function takenDown({ link, changes }: CheckInput): Disruption | undefined {
	if (changes.some(({ kind }) => kind === 'down')) return { class: 'Blip', because: `${link.name} is set down` }
}

function takenFromItsDaemon({ link, isUnmanaged }: CheckInput): Disruption | undefined {
	if (isUnmanaged) return { class: 'Blip', because: `NetworkManager releases ${link.name}` }
}

function renamed({ link, changes }: CheckInput): Disruption | undefined {
	if (changes.some(({ kind }) => kind === 'rename')) return { class: 'Blip', because: `${link.name} is renamed while it is up` }
}

function otherMtu({ link, changes }: CheckInput): Disruption | undefined {
	const change = changes.find(({ kind }) => kind === 'mtu')
	if (change?.kind === 'mtu')
		return { class: 'Blip', because: `${link.name} is up and gets an MTU of ${change.bytes} instead of ${link.mtu}` }
}

function otherWay({ link, changes }: CheckInput): Disruption | undefined {
	if (changes.some(({ kind }) => kind === 'removeRoute' || kind === 'removeRule'))
		return { class: 'Blip', because: `a route or rule that ${link.name} may be using is removed` }
}

function isMoved(changes: readonly Change[]): boolean {
	return changes.some(({ kind }) => kind === 'rename' || kind === 'down')
}

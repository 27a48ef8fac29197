import type { Disruption } from '../../contract/agent-run.ts'
import type { Change, Step } from '../model/change.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { linksOf } from '../model/route.ts'

type Question = { link: Link; changes: readonly Change[] }
type Judgement = Disruption | undefined
type Fact = (question: Question) => Judgement

/** Minimum MTU of IPv6; below it the kernel removes a link's IPv6 addresses (RFC 8200). */
const MTU_OF_SIX = 1_280

/** Checked in order: the first fact that applies says how the steps affect the use of a link. */
const facts: readonly Fact[] = [
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
 * Returns how steps affect what is in use on a link now. Settings, files and mere additions disrupt nothing.
 *
 * @param steps that touch this link
 */
export function disruptionOf(steps: readonly Step[], link: Link): Disruption {
	const question = { link, changes: steps.map(({ change }) => change) }
	for (const fact of facts) {
		const judgement = fact(question)
		if (judgement) return judgement
	}
	return none
}

/** @returns the worst disruption of all links that these steps touch */
export function worstDisruption(steps: readonly Step[], { links }: HostState): Disruption {
	const all = links.map(link => disruptionOf(stepsOf(steps, link), link))
	return all.find(isClass('AddressLost')) ?? all.find(isClass('Blip')) ?? all.find(isClass('None')) ?? none
}

/** @returns the steps that touch this link */
export function stepsOf(steps: readonly Step[], { ifindex, name, addresses }: Link): Step[] {
	const isHere = (change: Change) => {
		if ('link' in change) return change.link === ifindex
		if ('route' in change) return linksOf(change.route).includes(ifindex)
		if ('rule' in change) return addresses.some(({ cidr }) => cidr.split('/')[0] === change.rule.from.split('/')[0])
		return change.kind === 'sysctl' && change.name === name
	}
	return steps.filter(({ change }) => isHere(change))
}

function addressGoes({ link, changes }: Question): Judgement {
	const gone = changes.find(change => change.kind === 'removeAddress' && link.addresses.some(({ cidr }) => cidr === change.address.cidr))
	if (gone?.kind === 'removeAddress') return { class: 'AddressLost', because: `${gone.address.cidr} goes from ${link.name}` }
}

function addressForgotten({ link, changes }: Question): Judgement {
	const six = link.up ? link.addresses.find(({ family, global }) => family === 6 && global) : undefined
	const forgets = changes.some(({ kind, ...change }) => kind === 'down' || ('bytes' in change && change.bytes < MTU_OF_SIX))
	if (six && forgets)
		return {
			class: 'AddressLost',
			because: `${link.name} loses ${six.cidr} while it is down or its MTU is too small, and may get it again`,
		}
}

/** NetworkManager removes what it added, or leaves it; systemd-networkd removes it once the link is down or has another name. */
function addressMayGo({ link, changes }: Question): Judgement {
	const given = link.up ? link.addresses.find(({ global }) => global) : undefined
	if (!given) return undefined
	const daemon = isUnmanaged(changes) ? 'NetworkManager' : isMoved(changes) ? link.managedBy : undefined
	if (daemon) return { class: 'AddressLost', because: `${daemon} releases ${link.name} and may remove ${given.cidr}` }
}

function carriesNothing({ link }: Question): Judgement {
	if (!link.up) return { class: 'None', because: `${link.name} is down and carries nothing` }
}

function takenDown({ link, changes }: Question): Judgement {
	if (changes.some(({ kind }) => kind === 'down')) return { class: 'Blip', because: `${link.name} is taken down` }
}

function takenFromItsDaemon({ link, changes }: Question): Judgement {
	if (isUnmanaged(changes)) return { class: 'Blip', because: `NetworkManager releases ${link.name}` }
}

function renamed({ link, changes }: Question): Judgement {
	if (changes.some(({ kind }) => kind === 'rename')) return { class: 'Blip', because: `${link.name} is renamed while it is up` }
}

function otherMtu({ link, changes }: Question): Judgement {
	const change = changes.find(({ kind }) => kind === 'mtu')
	if (change?.kind === 'mtu')
		return { class: 'Blip', because: `${link.name} is up and gets an MTU of ${change.bytes} instead of ${link.mtu}` }
}

function otherWay({ link, changes }: Question): Judgement {
	if (changes.some(({ kind }) => kind === 'removeRoute' || kind === 'removeRule'))
		return { class: 'Blip', because: `a route or rule that ${link.name} may be using is removed` }
}

function isUnmanaged(changes: readonly Change[]): boolean {
	return changes.some(({ kind }) => kind === 'unmanage')
}

function isMoved(changes: readonly Change[]): boolean {
	return changes.some(({ kind }) => kind === 'rename' || kind === 'down')
}

function isClass(wanted: Disruption['class']) {
	return (one: Disruption) => one.class === wanted
}

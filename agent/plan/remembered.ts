import type { HostState, Link } from '../host/state.ts'
import { generated } from '../paths.ts'
import { addressesOf } from './routing.ts'
import type { Accepted, Selection } from './selection.ts'
import type { Change, Step } from './steps.ts'

/**
 * systemd-networkd reads files when it starts. A NIC that gets back the name that it had then is configured by the file of then, whatever is in
 * it now, and loses what others have given it.
 */

/** Changes that are made once more where networkd has undone them; what a run does to names and files it leaves alone. */
const AGAIN: ReadonlySet<Change['kind']> = new Set([
	'up',
	'mtu',
	'addAddress',
	'removeAddress',
	'addRoute',
	'removeRoute',
	'addRule',
	'removeRule',
	'sysctl',
])

/**
 * What networkd has given our NICs during a run by a file of an earlier config, and nobody wants: addresses that were on none of them before,
 * and an MTU.
 *
 * @returns what takes it away
 */
export function givenByNetworkd({ accepted }: Pick<Selection, 'accepted'>, before: HostState, now: HostState): Step[] {
	return accepted.flatMap(one => {
		const link = rememberedLink(one, now)
		const was = before.links.find(({ ifindex }) => ifindex === one.link.ifindex)
		return link && was ? takenAway(one, was, link).map((change): Step => ({ id: one.nic.id, change })) : []
	})
}

function takenAway({ nic }: Accepted, was: Link, { ifindex, mtu, addresses }: Link): Change[] {
	const known = new Set([...addressesOf(nic), ...was.addresses.map(({ cidr }) => cidr)])
	const given = addresses.filter(({ cidr, global, dynamic }) => global && !dynamic && !known.has(cidr))
	return [
		...given.map((address): Change => ({ kind: 'removeAddress', link: ifindex, address })),
		...(nic.mtu === undefined && mtu !== was.mtu ? [{ kind: 'mtu' as const, link: ifindex, bytes: was.mtu }] : []),
	]
}

/** @returns those steps, where all are changes that networkd may have undone; else none */
export function undoneByNetworkd({ accepted }: Pick<Selection, 'accepted'>, steps: readonly Step[], now: HostState): readonly Step[] {
	const ids = new Set(accepted.flatMap(one => (rememberedLink(one, now) ? [one.nic.id] : [])))
	const isUndone = ({ id, change }: Step) => id !== undefined && ids.has(id) && AGAIN.has(change.kind)
	const rest = steps.filter(({ change }) => change.kind !== 'ask') // it was asked before the address was given
	return rest.every(isUndone) ? rest : []
}

/** A link that networkd configures at the moment by the file that netplan makes of ours. */
function rememberedLink({ nic, link }: Accepted, { links }: HostState): Link | undefined {
	return links.find(({ ifindex, networkFile }) => ifindex === link.ifindex && networkFile === generated.network(nic.name))
}

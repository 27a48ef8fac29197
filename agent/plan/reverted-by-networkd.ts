import type { Change, Step } from '../model/change.ts'
import { addressesOf } from '../model/desired-network.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { generated } from '../model/paths.ts'
import type { Accepted, Selection } from '../model/selection.ts'

/**
 * systemd-networkd reads its files when it starts. If a NIC returns to the name that it had at that time, networkd configures it from the
 * file as it was at that time, and removes what other programs have added.
 */

/** Changes that are repeated if networkd has reverted them; networkd does not revert changes of names and files. */
const REPEATED: ReadonlySet<Change['kind']> = new Set([
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
 * Finds undesired configuration that networkd applied to NICs managed by MultiNIC during a run, from a file of an earlier config: addresses
 * that the link did not have before, and an MTU.
 *
 * @returns the steps that remove it
 */
export function addedByNetworkd({ accepted }: Pick<Selection, 'accepted'>, before: HostState, now: HostState): Step[] {
	return accepted.flatMap(one => {
		const link = linkByGeneratedFile(one, now)
		const was = before.links.find(({ ifindex }) => ifindex === one.link.ifindex)
		return link && was ? removalsOf(one, was, link).map((change): Step => ({ id: one.nic.id, change })) : []
	})
}

function removalsOf({ nic }: Accepted, was: Link, { ifindex, mtu, addresses }: Link): Change[] {
	const known = new Set([...addressesOf(nic), ...was.addresses.map(({ cidr }) => cidr)])
	const given = addresses.filter(({ cidr, global, dynamic }) => global && !dynamic && !known.has(cidr))
	return [
		...given.map((address): Change => ({ kind: 'removeAddress', link: ifindex, address })),
		...(nic.mtu === undefined && mtu !== was.mtu ? [{ kind: 'mtu' as const, link: ifindex, bytes: was.mtu }] : []),
	]
}

/** @returns these steps, if networkd may have reverted all of them; else none */
export function revertedByNetworkd({ accepted }: Pick<Selection, 'accepted'>, steps: readonly Step[], now: HostState): readonly Step[] {
	const ids = new Set(accepted.flatMap(one => (linkByGeneratedFile(one, now) ? [one.nic.id] : [])))
	const isUndone = ({ id, change }: Step) => id !== undefined && ids.has(id) && change !== undefined && REPEATED.has(change.kind)
	const rest = steps.filter(({ action }) => action?.kind !== 'checkDuplicates') // the probe was sent before the address was added
	return rest.every(isUndone) ? rest : []
}

/** Returns the link if networkd currently configures it by the file that netplan generated for MultiNIC. */
function linkByGeneratedFile({ nic, link }: Accepted, { links }: HostState): Link | undefined {
	return links.find(({ ifindex, networkFile }) => ifindex === link.ifindex && networkFile === generated.network(nic.name))
}

import type { Address, FileState, Neighbour, NextHopObject, Route, Rule } from '../host/state.ts'

/**
 * The whole vocabulary of what a run may do to a host. Links are named by ifindex, which no rename changes.
 *
 * Order of work: daemons let go, sysctls (by the name before), `ip` lines, files, daemons read them; an undo goes the other way.
 */
export type Change =
	| { kind: 'rename'; link: number; to: string }
	| { kind: 'up' | 'down'; link: number }
	| { kind: 'mtu'; link: number; bytes: number }
	| { kind: 'addAltname' | 'removeAltname'; link: number; name: string }
	| { kind: 'addAddress' | 'removeAddress'; link: number; address: Address }
	/** `again`: it may be there still; `replace`: it is in a table of ours. */
	| { kind: 'addRoute'; route: Route; again?: true; replace?: true }
	| { kind: 'removeRoute'; route: Route }
	| { kind: 'addRule' | 'removeRule'; rule: Rule }
	| { kind: 'addNextHop'; object: NextHopObject }
	| { kind: 'addNeighbour'; neighbour: Neighbour }
	/** Go on when udev and the network daemons have seen these names: a burst of renames makes them lose a link. */
	| { kind: 'seen'; names: readonly string[] }
	/** Go on when nobody else on this link's wire has these addresses; `name` is what the link is called by then. */
	/** `mac`: of the link that is to have the addresses. A virtual switch may answer for its port. */
	| { kind: 'ask'; link: number; name: string; ips: readonly string[]; mac: string }
	| { kind: 'sysctl'; name: string; key: string; value: string }
	/** NetworkManager releases the link of this name, or takes it up again. */
	| { kind: 'unmanage' | 'manage'; link: number; name: string }
	/** udev reloads its rules and .link files now; by itself it looks for changed ones every three seconds, so a NIC may come before that. */
	| { kind: 'reload' }
	/** NetworkManager reads these profiles, or forgets those that are gone. */
	| { kind: 'load'; paths: readonly string[] }
	/** `file` absent: the file is removed. */
	| { kind: 'file'; path: string; file?: FileState }

/** One change and the interface it is for; without one it is for the run as a whole. */
export type Step = { id?: number; change: Change }

/** @param id absent: for the run as a whole */
export function stepOf(id: number | undefined, change: Change): Step {
	return id === undefined ? { change } : { id, change }
}

import type { Address } from './address.ts'
import type { FileState, Neighbour, Rule } from './host-state.ts'
import type { NextHopObject, Route } from './route.ts'

/**
 * Everything that a run may change on a host. Links are identified by ifindex, which no rename changes.
 *
 * Order: daemons release links, sysctls (by the old name), `ip` lines, files, daemons read the files; a rollback runs in reverse.
 */
export type Change =
	| { kind: 'rename'; link: number; to: string }
	| { kind: 'up' | 'down'; link: number }
	| { kind: 'mtu'; link: number; bytes: number }
	| { kind: 'addAltname' | 'removeAltname'; link: number; name: string }
	| { kind: 'addAddress' | 'removeAddress'; link: number; address: Address }
	/** `replace`: the route may exist already. */
	| { kind: 'addRoute'; route: Route; replace?: true }
	| { kind: 'removeRoute'; route: Route }
	| { kind: 'addRule' | 'removeRule'; rule: Rule }
	| { kind: 'addNextHop'; object: NextHopObject }
	| { kind: 'addNeighbour'; neighbour: Neighbour }
	/** Waits until udev and the network daemons have seen these names: a burst of renames makes them lose a link. */
	| { kind: 'seen'; names: readonly string[] }
	/** Checks that no other host on the wire of this link has these addresses; `name`: the name of the link by then. */
	/** `mac`: of the link that gets the addresses. A virtual switch may answer for its port. */
	| { kind: 'ask'; link: number; name: string; ips: readonly string[]; mac: string }
	| { kind: 'sysctl'; name: string; key: string; value: string }
	/** NetworkManager releases the link of this name, or manages it again. */
	| { kind: 'unmanage' | 'manage'; link: number; name: string }
	/** udev reloads its rules and .link files now; otherwise it checks for changes every three seconds, and a NIC may appear before that. */
	| { kind: 'reload' }
	/** NetworkManager reads these profiles, or forgets those that are gone. */
	| { kind: 'load'; paths: readonly string[] }
	| { kind: 'writeFile'; path: string; file: FileState }
	| { kind: 'removeFile'; path: string }

/** One change and the id of its interface; without an id it belongs to the run as a whole. */
export type Step = { id?: number; change: Change }

/** @param id absent: the change belongs to the run as a whole */
export function stepOf(id: number | undefined, change: Change): Step {
	return id === undefined ? { change } : { id, change }
}

import type { Address } from './address.ts'
import type { FileState, Neighbour, Rule } from './host-state.ts'
import type { NextHopObject, Route } from './route.ts'

/** A change to the state of a host. Links are identified by ifindex, which survives a rename. */
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
	| { kind: 'sysctl'; name: string; key: string; value: string }
	| { kind: 'writeFile'; path: string; file: FileState }
	| { kind: 'removeFile'; path: string }

/** A request to a daemon, or a wait for one. */
export type Notice =
	/** Waits until udev and the network daemons have processed these names: after a burst of renames they may miss a link. */
	| { kind: 'waitForNames'; names: readonly string[] }
	/** NetworkManager releases the link of this name, or manages it again. */
	| { kind: 'unmanage' | 'manage'; link: number; name: string }
	/** udev reloads its rules and .link files now; otherwise it checks for changes every three seconds, and a NIC may appear before that. */
	| { kind: 'reloadUdev' }
	/** NetworkManager reads these profiles, or drops those whose files no longer exist. */
	| { kind: 'loadProfiles'; paths: readonly string[] }

/**
 * Checks that no other host in the network of this link has these addresses. `name`: the name of the link at that time. `mac`: the MAC of
 * the link that gets the addresses; its replies are ignored, because a virtual switch may answer for its port.
 */
export type DuplicateCheck = { kind: 'checkDuplicates'; link: number; name: string; ips: readonly string[]; mac: string }

/** An operation of a run other than a change. An action is not counted, because it does not change the state of the host. */
export type Action = Notice | DuplicateCheck

export type ChangeStep = { id?: number; change: Change; action?: never }
export type ActionStep = { id?: number; action: Action; change?: never }

/**
 * One change or action, and the id of its interface; without an id it belongs to the run as a whole.
 *
 * Order: daemons release links, sysctls (by the old name), `ip` lines, files, daemons read the files; a rollback runs in reverse.
 */
export type Step = ChangeStep | ActionStep

/** One step of a rollback. A rollback has no checks. */
export type UndoStep = { change: Change; action?: never } | { action: Notice; change?: never }

/** @param id absent: the change belongs to the run as a whole */
export function changeStep(id: number | undefined, change: Change): ChangeStep {
	return id === undefined ? { change } : { id, change }
}

/** @param id absent: the action belongs to the run as a whole */
export function actionStep(id: number | undefined, action: Action): ActionStep {
	return id === undefined ? { action } : { id, action }
}

/** @returns steps of the run as a whole, one for each change */
export function asSteps(changes: readonly Change[]): UndoStep[] {
	return changes.map(change => ({ change }))
}

/** @returns the changes of these steps, in their order */
export function changesIn(steps: readonly Step[]): Change[] {
	return steps.flatMap(({ change }) => change ?? [])
}

/** @returns the path of the file that a step writes or removes */
export function changedFile({ change }: Step): string | undefined {
	return change && 'path' in change ? change.path : undefined
}

import { type Change, type ChangeStep, changeStep, type Step } from '../model/change.ts'
import { routesOf } from '../model/desired-network.ts'
import type { HostState } from '../model/host-state.ts'
import type { Selection } from '../model/selection.ts'
import { lostWhenDown } from './lost-when-down.ts'
import { orderRenames, waitForNames } from './rename-order.ts'
import { asWanted } from './routes.ts'

/** The renames of a run, and the steps required before and after them. */
export type RenameSteps = { down: ChangeStep[]; steps: Step[]; up: ChangeStep[]; restored: ChangeStep[] }

/** @param phases other planned steps of the links: removals, and changes of MTU and state */
export function renameSteps(
	{ moves, accepted }: Selection,
	host: HostState,
	{ take, shape }: { take: readonly ChangeStep[]; shape: readonly ChangeStep[] },
): RenameSteps {
	const { first, second } = orderRenames(moves)
	const ids = new Map(accepted.map(({ nic, link }) => [link.ifindex, nic.id]))
	const step = (change: Change & { link: number }) => changeStep(ids.get(change.link), change)
	const rename = ({ link, to }: { link: number; to: string }) => step({ kind: 'rename', link, to })
	const wanted = accepted.flatMap(({ nic, link }) => routesOf(nic, link.ifindex))
	const movers = new Set(first.concat(second).map(({ link }) => link))
	const downed = host.liveRename ? [] : host.links.filter(({ ifindex, up }) => up && movers.has(ifindex))
	const staysUp = downed.filter(({ ifindex }) => !shape.some(({ change }) => change.kind === 'down' && change.link === ifindex))
	const pause = (moved: readonly { to: string }[]) =>
		waitForNames(
			moved.map(({ to }) => to),
			host,
		)
	return {
		down: downed.map(({ ifindex }) => step({ kind: 'down', link: ifindex })),
		// Waits again at the end: udev may set the MTU from an older .link file, and a daemon may remove what it configured.
		steps: [
			...first.map(rename),
			...pause(second.length > 0 ? first : []),
			...second.map(rename),
			...pause(moves.filter(({ link }) => movers.has(link))),
		],
		up: staysUp.map(({ ifindex }) => step({ kind: 'up', link: ifindex })),
		restored: staysUp.flatMap(link =>
			lostWhenDown(link, host)
				.filter(change => !take.some(({ change: taken }) => isRemovalOf(taken, change)))
				.map(change =>
					changeStep(ids.get(link.ifindex), change.kind === 'addRoute' ? { ...change, route: asWanted(change.route, wanted) } : change),
				),
		),
	}
}

/**
 * Whether the run removes what `given` restores: after a rename that takes the link down, everything that the link keeps is added again.
 */
function isRemovalOf(taken: Change, given: Change): boolean {
	if (taken.kind === 'removeAddress' && given.kind === 'addAddress') return taken.address === given.address
	return taken.kind === 'removeRoute' && given.kind === 'addRoute' && taken.route === given.route
}

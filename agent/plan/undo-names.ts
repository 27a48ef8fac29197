import { asSteps, type Change, type UndoStep } from '../model/change.ts'
import type { HostState, Link } from '../model/host-state.ts'
import { temporaryName, waitForNames } from './rename-order.ts'

/**
 * Restores the names of links. Uses temporary names if links exchange names, because after some of the steps any link may have any of
 * them.
 */
export function undoNames(changes: readonly Change[], links: readonly Link[], host: HostState): UndoStep[] {
	const renamed = new Set(changes.flatMap(change => (change.kind === 'rename' ? [change.link] : [])))
	const movers = links.filter(({ ifindex }) => renamed.has(ifindex))
	const altnames = changes.flatMap((change): Change[] => (change.kind === 'addAltname' ? [{ ...change, kind: 'removeAltname' }] : []))
	const crossing = changes.some(
		change => change.kind === 'rename' && movers.some(({ ifindex, name }) => ifindex !== change.link && name === change.to),
	)
	const aside = crossing ? movers : []
	return [
		...asSteps([
			...altnames,
			// udev adds the old name of a renamed link as an altname (systemd issue 27506), which would prevent the rename.
			...movers.map(({ ifindex, name }): Change => ({ kind: 'removeAltname', link: ifindex, name })),
			...(host.liveRename ? [] : movers.map(({ ifindex }): Change => ({ kind: 'down', link: ifindex }))),
		]),
		...renamesTo(({ ifindex }) => temporaryName(ifindex), aside, host),
		...renamesTo(({ name }) => name, movers, host),
		...asSteps(changes.flatMap((change): Change[] => (change.kind === 'removeAltname' ? [{ ...change, kind: 'addAltname' }] : []))),
	]
}

function renamesTo(nameOf: (link: Link) => string, links: readonly Link[], host: HostState): UndoStep[] {
	const renames = links.map((link): Change => ({ kind: 'rename', link: link.ifindex, to: nameOf(link) }))
	return [...asSteps(renames), ...waitForNames(links.map(nameOf), host)]
}

import type { Change } from './inventory.ts'

/** Changes that are not stored yet. Of each thing only the newest is kept, in the order in which they came. */
export type Backlog = {
	add(changes: readonly Change[]): void
	/** All of them, oldest first. */
	all(): Change[]
	/** Forgets these, unless a newer one of the same thing came meanwhile. */
	done(changes: readonly Change[]): void
	clear(): void
	isEmpty(): boolean
}

export function createBacklog(): Backlog {
	const pending = new Map<string, Change>()
	return {
		add(changes) {
			for (const change of changes) {
				const name = nameOf(change)
				pending.delete(name)
				pending.set(name, change)
			}
		},
		all: () => [...pending.values()],
		done(changes) {
			for (const change of changes) if (pending.get(nameOf(change)) === change) pending.delete(nameOf(change))
		},
		clear: () => pending.clear(),
		isEmpty: () => pending.size === 0,
	}
}

/** Names what a change is about: of two with the same name, only the later counts. */
function nameOf(change: Change): string {
	if (change.kind === 'subnet') return `subnet ${change.subnetId}`
	if (change.kind === 'portGone') return `port ${change.providerId} ${change.portId}`
	if (change.kind === 'reported') return `in force ${change.providerId} ${change.view.nodeName}`
	return `${change.kind === 'sent' ? 'sent' : 'in force'} ${change.providerId} ${change.nodeName}`
}

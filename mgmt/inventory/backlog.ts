import type { Change } from './inventory.ts'

/** Changes that are not stored yet. Of each thing only the newest is kept, in the order in which they came. */
export type Backlog = {
	/** @returns the changes for which there is no room. Nothing about these things is kept, also nothing older. */
	add(changes: readonly Change[]): Change[]
	/** All of them, oldest first. */
	all(): Change[]
	/** Forgets these, unless a newer one of the same thing came meanwhile. */
	done(changes: readonly Change[]): void
	clear(): void
	isEmpty(): boolean
}

export type BacklogLimits = {
	/** Changes of one provider. */
	changes: number
	/** Characters of one change as JSON. */
	characters: number
	/** Characters of all changes of one provider. */
	ofProvider: number
}

/** A biz cluster has at most 5,000 nodes with up to two changes each; the view of a node has at most 65,536 characters, most have 5,000. */
export const LIMITS: BacklogLimits = { changes: 20_000, characters: 1 << 18, ofProvider: 1 << 26 }

type Pending = { change: Change; characters: number }

export function createBacklog(limits: BacklogLimits = LIMITS): Backlog {
	const pending = new Map<string, Pending>()
	const used = new Map<string, { changes: number; characters: number }>()
	const count = (of: string, changes: number, characters: number) => {
		const before = used.get(of) ?? { changes: 0, characters: 0 }
		used.set(of, { changes: before.changes + changes, characters: before.characters + characters })
		if (used.get(of)?.changes === 0) used.delete(of)
	}
	const forget = (name: string) => {
		const known = pending.get(name)
		if (known && pending.delete(name)) count(providerOf(known.change), -1, -known.characters)
	}
	const hasRoom = (of: string, characters: number) => {
		const { changes, characters: all } = used.get(of) ?? { changes: 0, characters: 0 }
		return characters <= limits.characters && changes < limits.changes && all + characters <= limits.ofProvider
	}
	const add = (change: Change): boolean => {
		const name = nameOf(change)
		const of = providerOf(change)
		const characters = JSON.stringify(change).length
		forget(name)
		if (!hasRoom(of, characters)) return false
		pending.set(name, { change, characters })
		count(of, 1, characters)
		return true
	}
	return {
		add: changes => changes.filter(change => !add(change)),
		all: () => [...pending.values()].map(({ change }) => change),
		done(changes) {
			for (const change of changes) if (pending.get(nameOf(change))?.change === change) forget(nameOf(change))
		},
		clear() {
			pending.clear()
			used.clear()
		},
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

/** Subnets are of OpenStack, and share one limit. */
function providerOf(change: Change): string {
	return change.kind === 'subnet' ? '' : change.providerId
}

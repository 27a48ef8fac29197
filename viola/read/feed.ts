import { DELETED, NODE_CONFIG_EVENT, RESET, SYNCED } from '../../contract/viola-api.ts'
import type { Held } from '../held/held.ts'

export type FeedOptions = {
	held: Held
	/** Id of the last event that the reader has received; undefined if it has received none. */
	lastEventId: string | undefined
	/** Whether the reader wants to see a node. */
	isWanted(nodeName: string): boolean
	/** Called when `next` may return an event again. */
	onChange(): void
}

/** The events for one reader, as text. They are created when the reader can take them. */
export type Feed = {
	/** Returns the next event; undefined if there is none yet. */
	next(): string | undefined
	/** Length of the changes that are waiting behind the events that are being sent, in characters. */
	lag(): number
	end(): void
}

/** A node config to send. `version`: the version of its change, undefined if it is part of the whole content. */
type Item = { readonly nodeName: string; readonly version: bigint | undefined }

/**
 * Creates a feed: the whole content, or the changes after `lastEventId` if all of them are known, then `synced`, then every later change.
 *
 * It sends round by round: first the content, then the changes that were reached in the meantime, and so on. An item is read when it is
 * sent, so another change of an unsent item needs no memory, and a round is not a lag, however long it is. The changes that come while it
 * is sent are a lag, except during the first round: a reader that is disconnected there would start from the beginning, and never finish.
 */
export function createFeed({ held, lastEventId, isWanted, onChange }: FeedOptions): Feed {
	const missed = lastEventId === undefined ? undefined : held.changesAfter(lastEventId)
	const all = () => held.content.after().map(({ nodeName }) => ({ nodeName, version: undefined }))
	const roundOf = (items: readonly Item[]) => createRound(items.filter(({ nodeName }) => isWanted(nodeName)))
	const later = createLater()
	let startedAt = held.version
	let round = roundOf(missed ?? all())
	let isContinued = missed !== undefined
	let isReset = lastEventId !== undefined && !missed
	let isSynced = false
	/** The reader may know a node config that only another replica has seen, and whose deletion this one has missed. */
	const startOver = () => {
		later.take()
		startedAt = held.version
		round = roundOf(all())
		isContinued = false
		isReset = true
		isSynced = false
	}
	const end = held.subscribe((changes, isList) => {
		if (isList && isContinued) startOver()
		for (const { nodeName, version } of changes)
			if (isWanted(nodeName) && !round.has(nodeName)) later.add({ nodeName, version }, held.content.find(nodeName)?.view.length ?? 0)
		onChange()
	})
	const next = (): string | undefined => {
		if (isReset) {
			isReset = false
			return eventText(RESET, '{}')
		}
		const item = round.next()
		if (item) return itemText(held, item)
		if (!isSynced) {
			isSynced = true
			round = createRound(later.take()) // what changed during the first round is not a lag either
			return eventText(SYNCED, '{}', startedAt)
		}
		if (later.isEmpty()) return undefined
		round = createRound(later.take())
		return next()
	}
	return { next, lag: () => (isSynced ? later.length() : 0), end }
}

function itemText(held: Held, { nodeName, version }: Item): string {
	const view = held.content.find(nodeName)?.view
	const id = version === undefined ? undefined : String(version)
	return view === undefined ? eventText(DELETED, JSON.stringify({ nodeName }), id) : eventText(NODE_CONFIG_EVENT, view, id)
}

/** @param data without line breaks */
function eventText(event: string, data: string, id?: string): string {
	return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`
}

type Round = { has(nodeName: string): boolean; next(): Item | undefined }

/** Creates a round. Of several items with one version, only the last has it: with its id, a reader confirms all of them. */
function createRound(items: readonly Item[]): Round {
	const unsent = new Set(items.map(({ nodeName }) => nodeName))
	let at = 0
	return {
		has: nodeName => unsent.has(nodeName),
		next() {
			const item = items[at++]
			if (!item) return undefined
			unsent.delete(item.nodeName)
			return items[at]?.version === item.version ? { ...item, version: undefined } : item
		},
	}
}

/** Creates the collection of changes for the next round, with the last change of each node config. */
function createLater() {
	const items = new Map<string, Item & { length: number }>()
	let length = 0
	const drop = (nodeName: string) => {
		length -= items.get(nodeName)?.length ?? 0
		items.delete(nodeName)
	}
	return {
		isEmpty: () => items.size === 0,
		length: () => length,
		add(item: Item, itemLength: number) {
			drop(item.nodeName)
			items.set(item.nodeName, { ...item, length: itemLength })
			length += itemLength
		},
		take(): Item[] {
			const taken = [...items.values()]
			items.clear()
			length = 0
			return taken
		},
	}
}

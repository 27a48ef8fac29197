import { type Place, rolloutOrder } from '../../contract/rollout.ts'
import { insertionIndex } from '../model/insertion-index.ts'

/** The queued nodes, always in rollout order. */
export type WaitQueue = {
	readonly length: number
	add(place: Place): void
	remove(place: Place): void
	/** The number of queued nodes before this place, whether or not the place itself is queued. */
	position(place: Place): number
	/** The names of the first `count` nodes. */
	first(count: number): readonly string[]
}

/** Creates an empty queue. Its operations take logarithmic time, apart from moving array items. */
export function createWaitQueue(): WaitQueue {
	const places: Place[] = []
	const at = (place: Place) => insertionIndex(places, other => rolloutOrder(other, place) < 0)
	const isThere = (index: number, place: Place) => {
		const other = places[index]
		return other !== undefined && rolloutOrder(other, place) === 0
	}
	return {
		get length() {
			return places.length
		},
		add(place) {
			const index = at(place)
			if (!isThere(index, place)) places.splice(index, 0, place)
		},
		remove(place) {
			const index = at(place)
			if (isThere(index, place)) places.splice(index, 1)
		},
		position: at,
		first: count => places.slice(0, Math.max(0, count)).map(({ name }) => name),
	}
}

import { canonicalForm, type Interface } from '../../contract/interface.ts'
import { sameJson } from '../../contract/canonical.ts'

/** The ids of the interfaces that a change adds, removes or changes. */
export type Difference = { added: number[]; removed: number[]; changed: number[] }

/** Compares two lists of interfaces by id. */
export function differenceOf(before: readonly Interface[], after: readonly Interface[]): Difference {
	const [old, now] = [byId(before), byId(after)]
	const ids = [...new Set([...old.keys(), ...now.keys()])].sort((a, b) => a - b)
	return {
		added: ids.filter(id => !old.has(id)),
		removed: ids.filter(id => !now.has(id)),
		changed: ids.filter(id => old.has(id) && now.has(id) && !sameJson(old.get(id), now.get(id))),
	}
}

function byId(nics: readonly Interface[]): Map<number, object> {
	return new Map(canonicalForm(nics).map(nic => [nic.id, nic]))
}

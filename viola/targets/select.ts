import type { SecretTarget } from './secret.ts'
import type { Target, TargetChange } from './target.ts'

/** Selects one target per provider. Pure. */

/** A source that is not used, or whose current version is not used. */
export type Refusal = { readonly source: string; readonly providerId: string; readonly reason: string }

export type Selected = {
	/** By provider id. */
	readonly targets: ReadonlyMap<string, Target>
	readonly refused: readonly Refusal[]
}

export const NONE: Selected = { targets: new Map(), refused: [] }

/**
 * Selects the file before a Secret, and an older Secret before a younger one, so that a Secret that is added later never redirects a
 * provider to another cluster. For the same reason an invalid Secret keeps its provider.
 */
export function select(file: readonly Target[], secrets: readonly SecretTarget[]): Selected {
	const targets = new Map<string, Target>()
	const refused: Refusal[] = []
	for (const { target, fault } of [...file.map(asEntry), ...secrets.toSorted(byAge)]) {
		const { providerId, source } = target
		const other = targets.get(providerId)
		if (providerId !== '' && other === undefined) targets.set(providerId, target)
		const reason = other ? `provider ${providerId} is already defined by ${other.source}` : fault
		if (reason !== undefined) refused.push({ source, providerId, reason })
	}
	return { targets, refused }
}

/** Returns the changes from one selection to the next, to be reported to listeners. */
export function changesBetween(before: Selected['targets'], now: Selected['targets']): TargetChange[] {
	const removed = [...before.values()].filter(({ providerId }) => !now.has(providerId))
	const present = [...now.values()].flatMap((target): TargetChange[] => {
		const old = before.get(target.providerId)
		if (old === undefined) return [{ type: 'added', target }]
		return old.version === target.version ? [] : [{ type: 'changed', target }]
	})
	return [...removed.map((target): TargetChange => ({ type: 'removed', target })), ...present]
}

function asEntry(target: Target): { target: Target; fault?: string } {
	return { target }
}

function byAge(a: SecretTarget, b: SecretTarget): number {
	return compare(a.createdAt, b.createdAt) || compare(a.name, b.name)
}

function compare(a: string, b: string): number {
	if (a === b) return 0
	return a < b ? -1 : 1
}

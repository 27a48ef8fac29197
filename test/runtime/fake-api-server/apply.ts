import type { Entry, Owners } from './collection.ts'
import { type ApiObject, isMap, type Json, mergePatch } from './object.ts'
import { Refusal } from './refusal.ts'

type Applier = { manager: string; force: boolean }

/**
 * Implements the part of server-side apply that the programs here use. A field manager owns the leaves that it applies. Without force, it
 * cannot change a leaf of another manager. Leaves that it no longer applies are removed. A list is a single leaf, so lists that the real
 * API server merges by key are replaced here. Only managers that applied are owners.
 *
 * @throws Refusal 409, which names the owners of the conflicting leaves
 */
export function applied(before: Entry | undefined, wanted: ApiObject, { manager, force }: Applier): { object: ApiObject; owners: Owners } {
	const leaves = new Set(leavesOf(wanted))
	const others = [...(before?.owners ?? [])].filter(([owner]) => owner !== manager)
	const contested = others.flatMap(([owner, own]) =>
		[...own].filter(path => leaves.has(path) && !same(before, wanted, path)).map(path => ({ owner, path })),
	)
	if (contested.length > 0 && !force) throw fieldConflict(contested)
	const lost = new Set(contested.map(({ path }) => path))
	const owners = new Map(others.map(([owner, own]) => [owner, new Set([...own].filter(path => !lost.has(path)))]))
	const abandoned = [...(before?.owners?.get(manager) ?? [])].filter(
		path => !leaves.has(path) && ![...owners.values()].some(own => own.has(path)),
	)
	const rest = abandoned.reduce<unknown>((object, path) => without(object, JSON.parse(path)), before?.object ?? {})
	return { object: mergePatch(rest, wanted) as ApiObject, owners: owners.set(manager, leaves) }
}

/** Returns what each owner still owns after another client wrote the object without apply. */
export function ownersAfter(before: Entry, after: ApiObject): Owners | undefined {
	if (!before.owners) return undefined
	return new Map([...before.owners].map(([owner, own]) => [owner, new Set([...own].filter(path => same(before, after, path)))]))
}

const nobodys = ['apiVersion', 'kind']
const identity = ['name', 'namespace', 'uid', 'resourceVersion']

function leavesOf(object: ApiObject): string[] {
	const { metadata, ...rest } = object
	const own = Object.fromEntries(Object.entries(metadata).filter(([field]) => !identity.includes(field)))
	const named = Object.fromEntries(Object.entries(rest).filter(([field]) => !nobodys.includes(field)))
	return [...leaves(own, ['metadata']), ...leaves(named, [])]
}

function leaves(value: unknown, path: readonly string[]): string[] {
	if (!isMap(value)) return [JSON.stringify(path)]
	return Object.entries(value).flatMap(([field, inner]) => leaves(inner, [...path, field]))
}

function same(before: Entry | undefined, wanted: ApiObject, path: string): boolean {
	const steps: string[] = JSON.parse(path)
	return JSON.stringify(at(before?.object, steps)) === JSON.stringify(at(wanted, steps))
}

function at(object: unknown, steps: readonly string[]): unknown {
	return steps.reduce<unknown>((value, field) => (isMap(value) ? value[field] : undefined), object)
}

/** Removes the leaf, and the maps that are empty without it. */
function without(object: unknown, [field = '', ...deeper]: readonly string[]): unknown {
	if (!isMap(object)) return object
	const { [field]: value, ...rest } = object
	const left = deeper.length > 0 ? without(value, deeper) : undefined
	const isGone = left === undefined || (isMap(left) && Object.keys(left).length === 0)
	return isGone ? rest : ({ ...rest, [field]: left } satisfies Json)
}

function fieldConflict(contested: readonly { owner: string; path: string }[]): Refusal {
	const causes = contested.map(({ owner, path }) => ({
		reason: 'FieldManagerConflict',
		message: `conflict with ${JSON.stringify(owner.split('/')[0])}`,
		field: `.${JSON.parse(path).join('.')}`,
	}))
	const words = [...Map.groupBy(causes, ({ message }) => message)].map(([message, fields]) => conflictWords(message, fields)).join('\n')
	const count = causes.length === 1 ? '1 conflict' : `${causes.length} conflicts`
	return new Refusal({ code: 409, reason: 'Conflict', message: `Apply failed with ${count}: ${words}`, details: { causes } })
}

/** A single field is on the same line as its owner; several fields are on lines below it. */
function conflictWords(message: string, fields: readonly { field: string }[]): string {
	if (fields.length === 1) return `${message}: ${fields[0]?.field}`
	return `${message.replace('conflict', 'conflicts')}:${fields.map(({ field }) => `\n- ${field}`).join('')}`
}

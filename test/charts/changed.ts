type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** An object with one change: the path of the change, and the whole object. */
export type Changed = { path: string; changed: Json }

/**
 * @returns every object that differs from this one in a single place: a value that is different or missing, a list that has its first item
 * twice
 */
export function changesOf(object: object): Changed[] {
	return within(JSON.parse(JSON.stringify(object)) as Json, [])
}

function within(value: Json, path: readonly string[]): Changed[] {
	const here = path.join('.')
	if (Array.isArray(value)) {
		const items = value.flatMap((item, at) =>
			within(item, [...path, String(at)]).map(one => ({ ...one, changed: value.with(at, one.changed) })),
		)
		const [first] = value
		return [...items, { path: here, changed: value.slice(1) }, ...(first === undefined ? [] : [{ path: here, changed: [...value, first] }])]
	}
	if (typeof value !== 'object' || value === null) return [{ path: here, changed: otherThan(value) }]
	return Object.entries(value).flatMap(([key, item]) => {
		const { [key]: _, ...rest } = value
		const changes = within(item, [...path, key]).map(one => ({ ...one, changed: { ...value, [key]: one.changed } }))
		return [...changes, { path: [...path, key].join('.'), changed: rest }]
	})
}

function otherThan(value: null | boolean | number | string): Json {
	if (typeof value === 'boolean') return !value
	return typeof value === 'number' ? value + 1 : `${value}x`
}

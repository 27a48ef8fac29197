/** Values that each field of a CRD accepts and rejects, generated from the schema that the API server gets. Pure. */

/** The part of a structural schema that constrains values. */
export type Schema = {
	type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
	properties?: Readonly<Record<string, Schema>>
	required?: readonly string[]
	items?: Schema
	enum?: readonly unknown[]
	format?: string
	pattern?: string
	minLength?: number
	maxLength?: number
	minimum?: number
	maximum?: number
	maxItems?: number
	'x-kubernetes-list-map-keys'?: readonly string[]
}

/** A value for one field, and whether it is within the bounds of the field; `dropped`: it counts as omitted. */
export type Try = { what: string; value: unknown; fits: boolean | 'dropped' }

/** A field, by its path (`spec.interfaces[0].mtu`), with all values to try. */
export type Field = { path: string; tries: readonly Try[] }

/**
 * The value of a field while another one is tried, by its path without positions; undefined: it is omitted. Called with the position in its
 * list.
 */
export type Samples = Readonly<Record<string, (position: number) => unknown>>

/** Removes a field from the object. */
export const MISSING = Symbol('missing')

/** @returns every field below a schema, outermost first */
export function fieldsOf(schema: Schema, path: string, samples: Samples = {}, isRequired = true): Field[] {
	const { properties = {}, required = [], items } = schema
	const nothing: Try = { what: 'null', value: null, fits: isRequired ? false : 'dropped' }
	const own = { path, tries: [nothing, ...triesOf(schema, path, samples)] }
	const inner = Object.entries(properties).flatMap(([name, property]) =>
		fieldsOf(property, `${path}.${name}`, samples, required.includes(name)),
	)
	const missing = required.map(name => ({ path: `${path}.${name}`, tries: [{ what: 'left out', value: MISSING, fits: false }] }))
	return [own, ...inner, ...missing, ...(items ? fieldsOf(items, `${path}[0]`, samples) : [])]
}

/** @returns a valid value of this schema, with all optional fields */
export function sampleOf(schema: Schema, path: string, samples: Samples, position = 0): unknown {
	const given = samples[general(path)]
	if (given) return given(position)
	if (schema.enum) return schema.enum[0]
	switch (schema.type) {
		case 'object': {
			const entries = Object.entries(schema.properties ?? {}).map(([name, inner]) => [
				name,
				sampleOf(inner, `${path}.${name}`, samples, position),
			])
			return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
		}
		case 'array':
			return [itemOf(schema, path, samples, 0)]
		case 'string':
			return textOf(schema, Math.min(schema.maxLength ?? 12, 12))
		case 'boolean':
			return true
		default:
			return schema.minimum ?? 0
	}
}

function triesOf(schema: Schema, path: string, samples: Samples): Try[] {
	const right = schema.type === 'integer' ? 'number' : schema.type
	// if there is a format, the API server does not check whether the value is a list; only the writer of a status can write one
	const others = [true, 1, 'text', {}, ...(schema.format ? [] : [[]])].filter(value => typeOf(value) !== right)
	const wrong = others.map(value => ({ what: JSON.stringify(value), value, fits: false }))
	switch (schema.type) {
		case 'object':
			return wrong
		case 'array':
			return [...wrong, ...lengths(schema, path, samples)]
		case 'string':
			return [...wrong, ...(schema.enum ? choices(schema.enum) : texts(schema))]
		case 'boolean':
			return [...wrong, { what: 'false', value: false, fits: true }, { what: 'true', value: true, fits: true }]
		default:
			return [...wrong, ...numbers(schema)]
	}
}

function lengths(schema: Schema, path: string, samples: Samples): Try[] {
	const list = (length: number) => Array.from({ length }, (_, position) => itemOf(schema, path, samples, position))
	const of = (length: number, fits: boolean) => ({ what: `${length} items`, value: list(length), fits })
	const most = schema.maxItems
	return [of(0, true), ...(most === undefined ? [] : [of(most, true), of(most + 1, false)])]
}

/** Returns the item at a position; if a list is a map, its keys distinguish the items. */
function itemOf(schema: Schema, path: string, samples: Samples, position: number): unknown {
	if (!schema.items) throw new Error(`${path} is a list of nothing`)
	const item = sampleOf(schema.items, `${path}[${position}]`, samples, position)
	const keys = schema['x-kubernetes-list-map-keys'] ?? []
	return keys.length === 0 ? item : { ...(item as object), ...Object.fromEntries(keys.map(key => [key, `key-${position}`])) }
}

function choices(choices: readonly unknown[]): Try[] {
	const wrong = ['', `${choices[0]}s`, String(choices[0]).toUpperCase().padEnd(3, 'X')].map(value => ({
		what: `'${value}'`,
		value,
		fits: false,
	}))
	return [...wrong, ...choices.map(value => ({ what: `'${value}'`, value, fits: true }))]
}

function texts(schema: Schema): Try[] {
	const { minLength = 0, maxLength, pattern, format } = schema
	const wrong = [
		...(minLength > 0 ? [{ what: 'no text', value: '' }] : []),
		...(maxLength === undefined ? [] : [{ what: `${maxLength + 1} characters`, value: filled(maxLength + 1) }]),
		...(pattern === undefined ? [] : ['!', 'ends in a line break\n', ' '].map(value => ({ what: JSON.stringify(value), value }))),
		...(format === undefined ? [] : [{ what: 'no time', value: 'yesterday' }]),
	].map(one => ({ ...one, fits: false }))
	const lengths = [minLength, maxLength ?? 1_000].map(length => textOf(schema, length))
	const right = lengths.map(value => ({ what: `${value.length} characters`, value }))
	// the API server counts characters, JavaScript UTF-16 code units
	const astral =
		pattern === undefined && format === undefined ? [{ what: 'characters of two halves', value: '😀'.repeat(maxLength ?? 1) }] : []
	return [...wrong, ...[...right, ...astral].map(one => ({ ...one, fits: true }))]
}

function numbers({ type, minimum, maximum }: Schema): Try[] {
	const of = (value: number, fits: boolean) => ({ what: String(value), value, fits })
	return [
		of(minimum ?? Number.MIN_SAFE_INTEGER, true),
		of(maximum ?? Number.MAX_SAFE_INTEGER, true),
		...(minimum === undefined ? [] : [of(minimum - 1, false)]),
		...(maximum === undefined ? [] : [of(maximum + 1, false), of(1e30, false)]),
		of((minimum ?? 0) + 0.5, type === 'number'),
	]
}

/** Writes a valid text of the requested length, by pattern; if the pattern fixes the length, of that length. */
const writers: Readonly<Record<string, (length: number) => string>> = {
	'^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$': filled,
	'^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$': filled,
	'^multinic[0-9]$': () => 'multinic0',
	'^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$': () => 'fa:16:3e:37:c3:f1',
	'^https?:\\/\\/[^ ]+$': length => `http://${filled(Math.max(1, length - 7))}`,
	'^([0-9]{1,8}(\\.[0-9]{1,8})?(ms|s|m|h))+$': length => '1s'.repeat(Math.max(1, length / 2)),
}

function textOf({ pattern, format }: Schema, length: number): string {
	if (format === 'date-time') return `2026-01-01T00:00:00.${'0'.repeat(Math.max(1, length - 21))}Z`
	if (pattern === undefined) return filled(length)
	const write = writers[pattern]
	if (!write) throw new Error(`say how a text for ${pattern} is written`)
	return write(length)
}

function filled(length: number): string {
	return 'a'.repeat(length)
}

function typeOf(value: unknown): string {
	return Array.isArray(value) ? 'array' : typeof value
}

/** `spec.interfaces[0].mtu` → `spec.interfaces[].mtu` */
function general(path: string): string {
	return path.replaceAll(/\[\d+\]/g, '[]')
}

/** @returns a copy of the object in which one field has another value, with the objects above it */
export function withField<T extends object>(object: T, path: string, value: unknown): T {
	const steps = path.split(/[.[\]]+/).filter(Boolean)
	const copy = structuredClone(object)
	let at = copy as Record<string, unknown>
	for (const step of steps.slice(0, -1)) {
		at[step] ??= {}
		at = at[step] as Record<string, unknown>
	}
	const last = steps.at(-1) ?? ''
	if (value === MISSING) delete at[last]
	else at[last] = value
	return copy
}

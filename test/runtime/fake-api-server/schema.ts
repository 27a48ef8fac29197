import { isMap, type Json } from './object.ts'

/** The part of a structural schema that decides which fields of an object are kept. */
export type Schema = {
	type?: string
	properties?: Readonly<Record<string, Schema>>
	additionalProperties?: Schema | boolean
	items?: Schema
	default?: unknown
	'x-kubernetes-preserve-unknown-fields'?: boolean
}

/**
 * Returns the object with its defaults and without fields that the schema does not contain. Limits, patterns and rules are not checked.
 *
 * @param unknown receives the path of each dropped field: `spec.interfaces[0].mtuu`
 */
export function shaped<T>(object: T, schema: Schema, unknown: string[]): T {
	return walk(object, { ...schema, properties: { ...rootFields, ...schema.properties } }, '', unknown) as T
}

/** Allows any value. */
export const anything: Schema = { 'x-kubernetes-preserve-unknown-fields': true }
const rootFields = { apiVersion: anything, kind: anything, metadata: anything }

function walk(value: unknown, schema: Schema, path: string, unknown: string[]): unknown {
	if (schema === anything) return value
	const { items } = schema
	if (Array.isArray(value)) return items ? value.map((item, index) => walk(item, items, `${path}[${index}]`, unknown)) : value
	if (!isMap(value)) return value
	const kept: Json = {}
	for (const [field, inner] of Object.entries(value)) {
		const known = schemaOf(field, schema)
		const at = path ? `${path}.${field}` : field
		if (known) kept[field] = walk(inner, known, at, unknown)
		else unknown.push(at)
	}
	return withDefaults(kept, schema)
}

function schemaOf(field: string, schema: Schema): Schema | undefined {
	const { properties, additionalProperties: rest } = schema
	return properties?.[field] ?? (isMap(rest) ? rest : rest || schema['x-kubernetes-preserve-unknown-fields'] ? anything : undefined)
}

function withDefaults(value: Json, { properties = {} }: Schema): Json {
	for (const [field, schema] of Object.entries(properties))
		if (schema.default !== undefined && value[field] === undefined) value[field] = schema.default
	return value
}

import { PbfReader } from 'pbf'

/** Protobuf → values, of messages written as tables of those fields that are of use: `message({ name: one(1, text) })`. */

/** Reads one value from where the reader stands. */
export type Read<T> = (from: PbfReader) => T

/** Reads a message up to `end`; without one its length stands before it. */
export type Message<T> = (from: PbfReader, end?: number) => T

/** A field: its number, how its value is read, and how that goes into the message. */
export type Field<T> = {
	tag: number
	read: Read<unknown>
	put: (into: Record<string, unknown>, name: string, value: never) => void
	value?: T
}

export type Fields = Readonly<Record<string, Field<unknown>>>

/** What a table of fields gives. */
export type ValuesOf<F extends Fields> = { [Name in keyof F]?: F[Name] extends Field<infer T> ? T : never }

/** Reads these fields, and passes over all others. Empty text and 0 are left out, as JSON leaves them out of Kubernetes' objects. */
export function message<F extends Fields>(fields: F): Message<ValuesOf<F>> {
	const byTag: ((into: Record<string, unknown>, from: PbfReader) => void)[] = []
	for (const [name, { tag, read, put }] of Object.entries(fields)) byTag[tag] = (into, from) => put(into, name, read(from) as never)
	const take = (tag: number, into: Record<string, unknown>, from: PbfReader) => byTag[tag]?.(into, from)
	return (from, end = from.readVarint() + from.pos) => from.readFields(take, {}, end) as ValuesOf<F>
}

/** The message that these bytes are. */
export function parse<T>(bytes: Uint8Array, read: Message<T>): T {
	const from = new PbfReader(bytes)
	return read(from, from.length)
}

export const text: Read<string> = from => from.readString()
export const flag: Read<boolean> = from => from.readBoolean()
export const whole: Read<number> = from => from.readVarint(true)
/** A part of what is read, not a copy. */
export const bytes: Read<Uint8Array> = from => from.readBytes()

export function one<T>(tag: number, read: Read<T>): Field<T> {
	return {
		...{ tag, read },
		put: (into, name, value) => {
			if (value !== '' && value !== 0 && value !== undefined) into[name] = value
		},
	}
}

export function many<T>(tag: number, read: Read<T>): Field<T[]> {
	return {
		...{ tag, read },
		put: (into, name, value) => {
			const values = into[name] as T[] | undefined
			if (values) values.push(value)
			else into[name] = [value]
		},
	}
}

/** Text by text; without a prototype, for a key may be any word. */
export function map(tag: number): Field<Record<string, string>> {
	return {
		...{ tag, read: entry },
		put: (into, name, { key = '', value = '' }: ValuesOf<typeof pair>) => {
			into[name] ??= Object.create(null)
			Object.assign(into[name] as object, { [key]: value })
		},
	}
}

const pair = { key: one(1, text), value: one(2, text) }
const entry = message(pair)

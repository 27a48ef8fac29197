import { Failure } from '../errors.ts'
import type { KubeCode } from './failures.ts'
import type { ObjectMeta, OwnerReference } from './kind.ts'
import {
	bytes,
	type Fields,
	flag,
	type Message,
	many,
	map,
	message,
	one,
	parse,
	type Read,
	text,
	type ValuesOf,
	whole,
} from './protobuf.ts'

/**
 * The envelope that Kubernetes puts around protobuf, and the messages that every kind has.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 * @see generated.proto of k8s.io/apimachinery, packages runtime and meta/v1
 */

const mediaType = 'application/vnd.kubernetes.protobuf'

/** Accept header of a watch whose events can be read as protobuf. Kinds that the server only serves as JSON (custom resources) use JSON. */
export const WATCH_AS_PROTOBUF = `${mediaType};stream=watch, application/json`

export function isProtobuf(contentType: string): boolean {
	return contentType.startsWith(mediaType)
}

/** An object with the metadata fields and top-level fields that were read. It has a name because it comes from the API server. */
export type Part<M extends Fields, F extends Fields> = { metadata: ValuesOf<typeof identity & M> & { name: string } } & ValuesOf<F>

/**
 * Returns a reader for objects. It reads the given metadata fields, in addition to the identifying ones, and the given top-level fields.
 * The result is typed: a field that is not in the tables cannot be used.
 */
export function object<M extends Fields, F extends Fields>(metadata: M, fields: F): Message<Part<M, F>> {
	return message({ metadata: one(1, message({ ...identity, ...metadata })), ...fields }) as Message<Part<M, F>>
}

/** Reads one watch event, the equivalent of a line of JSON. */
export function readEvent(frame: Uint8Array, read: Message<object>): { type: string; object: object } {
	const { type = '', object: { raw = nothing } = {} } = parse(frame, watchEvent)
	return { type, object: unwrap(raw, type === 'ERROR' ? status : type === 'BOOKMARK' ? bookmark : read) }
}

/** Reads the part of `meta/v1.Status` that failures need. */
export function readStatus(enveloped: Uint8Array): Status {
	return unwrap(enveloped, status)
}

export type Status = ReturnType<typeof status>

function unwrap<T>(enveloped: Uint8Array, read: Message<T>): T {
	if (magic.some((byte, index) => enveloped[index] !== byte))
		throw new Failure<KubeCode>('SERVER_ERROR', 'response is not Kubernetes protobuf (wrong magic)', { retry: true })
	const { raw = nothing } = parse(enveloped.subarray(magic.length), unknown)
	return parse(raw, read)
}

const magic = [0x6b, 0x38, 0x73, 0x00] // k8s\0
const nothing = new Uint8Array()

const unknown = message({ raw: one(2, bytes) })
const watchEvent = message({ type: one(1, text), object: one(2, message({ raw: one(1, bytes) })) })

const timestamp = message({ seconds: one(1, whole) })
/** Reads `meta/v1.Time` and returns its JSON form; undefined if it is not set, which is encoded as an empty message: one length byte, 0. */
export const time: Read<string | undefined> = from => {
	const start = from.pos
	const { seconds = 0 } = timestamp(from)
	return from.pos === start + 1 ? undefined : new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
}

const identity = {
	name: one(1, text),
	namespace: one(3, text),
	uid: one(5, text),
	resourceVersion: one(6, text),
	creationTimestamp: one(8, time),
} satisfies { [Name in keyof ObjectMeta]?: unknown }
/** Fields of `ObjectMeta` that are read only if needed. */
export const labels = map(11)
export const annotations = map(12)
/** The API server always sets the first four fields. */
const ownerReference = message({
	apiVersion: one(5, text),
	kind: one(1, text),
	name: one(3, text),
	uid: one(4, text),
	controller: one(6, flag),
}) as Message<OwnerReference>
export const ownerReferences = many(13, ownerReference)

const bookmark = object({ annotations }, {})

const cause = message({ reason: one(1, text), message: one(2, text), field: one(3, text) })
const details = message({ causes: many(4, cause), retryAfterSeconds: one(5, whole) })
const status = message({ message: one(3, text), reason: one(4, text), details: one(5, details), code: one(6, whole) })

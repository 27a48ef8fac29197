import { Failure } from '../errors.ts'
import type { KubeCode } from './failures.ts'
import type { KubeObject, ObjectMeta } from './kind.ts'
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
 * Kubernetes' own wrapping of protobuf, and the messages that every kind has.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 * @see generated.proto of k8s.io/apimachinery, packages runtime and meta/v1
 */

const mediaType = 'application/vnd.kubernetes.protobuf'

/** What to accept for a watch of which events can be read as protobuf. A server that knows only JSON, as of custom resources, answers so. */
export const WATCH_AS_PROTOBUF = `${mediaType};stream=watch, application/json`

export function isProtobuf(contentType: string): boolean {
	return contentType.startsWith(mediaType)
}

/** An object of which these fields are read, and its metadata. */
export type Part<F extends Fields> = KubeObject & ValuesOf<F>

/** How an object is read of which these fields are of use. They are typed: what is not in the table cannot be asked for. */
export function object<F extends Fields>(fields: F): Message<Part<F>> {
	// its metadata has a name: what the API server sends is its own
	return message({ metadata: one(1, metadata), ...fields }) as Message<Part<F>>
}

/** One event of a watch: what a line of JSON would say. */
export function readEvent<T>(frame: Uint8Array, read: Message<T>): { type: string; object: T | Status } {
	const { type = '', object: { raw = nothing } = {} } = parse(frame, watchEvent)
	return { type, object: type === 'ERROR' ? readStatus(raw) : unwrap(raw, read) }
}

/** `meta/v1.Status`, as far as failures tell of it. */
export function readStatus(enveloped: Uint8Array): Status {
	return unwrap(enveloped, status)
}

export type Status = ReturnType<typeof status>

function unwrap<T>(enveloped: Uint8Array, read: Message<T>): T {
	if (magic.some((byte, index) => enveloped[index] !== byte))
		throw new Failure<KubeCode>('SERVER_ERROR', 'what the API server calls protobuf is none of Kubernetes’', { retry: true })
	const { raw = nothing } = parse(enveloped.subarray(magic.length), unknown)
	return parse(raw, read)
}

const magic = [0x6b, 0x38, 0x73, 0x00] // k8s\0
const nothing = new Uint8Array()

const unknown = message({ raw: one(2, bytes) })
const watchEvent = message({ type: one(1, text), object: one(2, message({ raw: one(1, bytes) })) })

const timestamp = message({ seconds: one(1, whole) })
/** `meta/v1.Time`, as JSON has it; none where it is not set, which is a message of nothing: its length, 0. */
export const time: Read<string | undefined> = from => {
	const start = from.pos
	const { seconds = 0 } = timestamp(from)
	return from.pos === start + 1 ? undefined : new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
}

const ownerReference = message({
	kind: one(1, text),
	name: one(3, text),
	uid: one(4, text),
	apiVersion: one(5, text),
	controller: one(6, flag),
	blockOwnerDeletion: one(7, flag),
})

/** All that `ObjectMeta` has. */
const metadata = message({
	name: one(1, text),
	generateName: one(2, text),
	namespace: one(3, text),
	uid: one(5, text),
	resourceVersion: one(6, text),
	generation: one(7, whole),
	creationTimestamp: one(8, time),
	deletionTimestamp: one(9, time),
	labels: map(11),
	annotations: map(12),
	ownerReferences: many(13, ownerReference),
	finalizers: many(14, text),
} satisfies Record<keyof ObjectMeta, unknown>)

const cause = message({ reason: one(1, text), message: one(2, text), field: one(3, text) })
const details = message({ causes: many(4, cause), retryAfterSeconds: one(5, whole) })
const status = message({ message: one(3, text), reason: one(4, text), details: one(5, details), code: one(6, whole) })

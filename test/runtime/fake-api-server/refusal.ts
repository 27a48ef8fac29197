import type { FakeKind } from './kinds.ts'
import type { Json } from './object.ts'

/** An error in one field. */
export type FieldFault = { field: string; message: string }

type Status = { code: number; reason: string; message: string; details?: Json; metadata?: Json }

/** A rejected request, with the same message as from kube-apiserver. */
export class Refusal extends Error {
	readonly code: number
	/** `meta/v1.Status` */
	readonly status: Json

	constructor({ metadata = {}, ...status }: Status) {
		super(status.message)
		this.code = status.code
		this.status = { kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure', ...status }
	}
}

/** Returns the resource as in messages: `configmaps`, `jobs.batch`. */
export function resourceOf({ plural, group }: FakeKind): string {
	return group ? `${plural}.${group}` : plural
}

export function noSuchPath(): Refusal {
	return new Refusal({ code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} })
}

export function notAllowed(): Refusal {
	const message = 'the server does not allow this method on the requested resource'
	return new Refusal({ code: 405, reason: 'MethodNotAllowed', message, details: {} })
}

/** For content types other than merge patch and server-side apply, which are the only ones supported here. */
export function unsupportedType(contentType: string): Refusal {
	const message = `the body of the request was in an unknown format - ${contentType} is not known here`
	return new Refusal({ code: 415, reason: 'UnsupportedMediaType', message })
}

export function notFound(kind: FakeKind, name: string): Refusal {
	return new Refusal({ code: 404, reason: 'NotFound', message: `${resourceOf(kind)} "${name}" not found`, details: detailsOf(kind, name) })
}

export function alreadyExists(kind: FakeKind, name: string, isGoing: boolean): Refusal {
	const message = `${isGoing ? 'object is being deleted: ' : ''}${resourceOf(kind)} "${name}" already exists`
	return new Refusal({ code: 409, reason: 'AlreadyExists', message, details: detailsOf(kind, name) })
}

export function conflict(kind: FakeKind, name: string, why = modified): Refusal {
	const message = `Operation cannot be fulfilled on ${resourceOf(kind)} "${name}": ${why}`
	return new Refusal({ code: 409, reason: 'Conflict', message, details: detailsOf(kind, name) })
}

/** The message of this error names the kind, where similar errors name the resource. */
export function staleDeletion({ kind, group }: FakeKind, name: string, why: string): Refusal {
	const message = `Operation cannot be fulfilled on ${group ? `${kind}.${group}` : kind} "${name}": ${why}`
	return new Refusal({ code: 409, reason: 'Conflict', message, details: { name, group, kind } })
}

const modified = 'the object has been modified; please apply your changes to the latest version and try again'

/** No objects can be created in a namespace that is being deleted. */
export function terminating(kind: FakeKind, name: string, namespace: string): Refusal {
	const why = `unable to create new content in namespace ${namespace} because it is being terminated`
	const message = `${resourceOf(kind)} "${name}" is forbidden: ${why}`
	return new Refusal({ code: 403, reason: 'Forbidden', message, details: detailsOf(kind, name) })
}

/** @param faults the message of each is the text after the field: `Invalid value: "x": must be y` */
export function invalid(kind: Pick<FakeKind, 'kind' | 'group'>, name: string, faults: readonly FieldFault[]): Refusal {
	const words = faults.map(({ field, message }) => `${field}: ${message}`)
	const message = `${kind.group ? `${kind.kind}.${kind.group}` : kind.kind} "${name}" is invalid: ${words.length > 1 ? `[${words.join(', ')}]` : words.join()}`
	const causes = faults.map(({ field, message }) => ({ reason: reasonOf(message), message, field }))
	return new Refusal({ code: 422, reason: 'Invalid', message, details: { name, group: kind.group, kind: kind.kind, causes } })
}

const reasons: Readonly<Record<string, string>> = {
	Forbidden: 'FieldValueForbidden',
	'Required value': 'FieldValueRequired',
	'Unsupported value': 'FieldValueNotSupported',
}

function reasonOf(message: string): string {
	return reasons[message.split(':')[0] ?? ''] ?? 'FieldValueInvalid'
}

export function badRequest(message: string): Refusal {
	return new Refusal({ code: 400, reason: 'BadRequest', message })
}

/** 410, for a resource version or a page token that is too old. */
export function expired(message: string, metadata: Json = {}): Refusal {
	return new Refusal({ code: 410, reason: 'Expired', message, metadata })
}

/** 504, for a resource version that does not exist yet. */
export function tooLarge(wanted: number, current: number): Refusal {
	const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
	const message = `Timeout: Too large resource version: ${wanted}, current: ${current}`
	return new Refusal({ code: 504, reason: 'Timeout', message, details: { causes, retryAfterSeconds: 1 } })
}

function detailsOf({ plural, group }: FakeKind, name: string): Json {
	return { name, ...(group && { group }), kind: plural }
}

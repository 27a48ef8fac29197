import type { Interface } from '../../contract/interface.ts'
import type { Owner } from '../../contract/viola-api.ts'
import type { NodeRow } from './schema.ts'

/**
 * What is read from texts in rows. This process validated them before it wrote them, so only their outermost shape is checked: a damaged
 * text is unknown, and is written again with the next report.
 */

/** Returns the interfaces of a stored node config; none if they cannot be read. */
export function interfacesOf(node: NodeRow | undefined): Interface[] {
	return readInterfaces(node) ?? []
}

/** Returns whether the interfaces of a stored node config can be read. */
export function hasInterfaces(node: NodeRow): boolean {
	return readInterfaces(node) !== undefined
}

/** Returns the object that a text contains, or undefined if it contains none. */
export function objectIn(text: string): object | undefined {
	const value = jsonIn(text)
	return isObject(value) ? value : undefined
}

/** Returns the owner of a stored node. */
export function ownerOf(node: NodeRow | undefined): Owner | undefined {
	const { owner_namespace: namespace = null, owner_name: name = null, owner_uid: uid = null } = node ?? {}
	return namespace === null || name === null || uid === null ? undefined : { namespace, name, uid }
}

function readInterfaces(node: NodeRow | undefined): Interface[] | undefined {
	const value = jsonIn(node?.config ?? '[]')
	return Array.isArray(value) && value.every(isInterface) ? value : undefined
}

function isInterface(value: unknown): value is Interface {
	return isObject(value) && 'macAddress' in value && typeof value.macAddress === 'string'
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function jsonIn(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}

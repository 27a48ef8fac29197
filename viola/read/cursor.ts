import { NodeName } from '../../contract/primitives.ts'

/** The longest cursor has 340 characters. */
const LENGTH_MAX = 512

/** Marks the format, so that a later one can be distinguished. */
const PREFIX = '1 '

/** Returns the cursor after a node. It stays valid when node configs are added or deleted, even that one. */
export function cursorAfter(nodeName: string): string {
	return Buffer.from(PREFIX + nodeName).toString('base64url')
}

/** Returns the node name in a cursor, or undefined if `cursorAfter` did not create it. */
export function readCursor(text: string): string | undefined {
	if (text.length > LENGTH_MAX) return undefined
	const nodeName = Buffer.from(text, 'base64url').toString().slice(PREFIX.length)
	return NodeName.safeParse(nodeName).success && cursorAfter(nodeName) === text ? nodeName : undefined
}

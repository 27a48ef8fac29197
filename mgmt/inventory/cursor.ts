import * as z from 'zod'
import { Failure } from '../../runtime/errors.ts'
import type { InventoryCode } from './inventory.ts'

/** Cursors: the key of the last item of a page, which clients pass back unread. */

const Key = z.array(z.union([z.string().max(253), z.int()])).max(3)
type Key = z.infer<typeof Key>

/** Returns the cursor for the page that begins after this key. */
export function cursorAfter(...key: Key): string {
	return btoa(JSON.stringify(key)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Longer than any valid cursor, which has at most two names of 253 characters. */
const CURSOR_MAX = 1_024

/** @throws Failure InvalidCursor if this is not a cursor with parts of these types */
export function readCursor(cursor: string, ...types: readonly ('string' | 'number')[]): Key {
	const key = Key.safeParse(parsed(cursor))
	if (key.success && key.data.length === types.length && key.data.every((part, i) => typeof part === types[i])) return key.data
	throw new Failure<InventoryCode>('InvalidCursor', 'the cursor is not one that this API returned: start again without a cursor')
}

function parsed(cursor: string): unknown {
	if (cursor.length > CURSOR_MAX) return undefined
	try {
		return JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')))
	} catch {
		return undefined
	}
}

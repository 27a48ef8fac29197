import { Failure } from '../../runtime/errors.ts'
import type { InventoryCode } from './inventory.ts'
import type { NodeKey } from './records.ts'

/** Cursors: the key of the last item of a page. They stay valid when items are added or removed, even that one. */

/** Form of the cursor in a list of nodes: `biz-1/worker-1`. */
export const NODE_CURSOR = /^[A-Za-z0-9_.-]{1,253}\/[a-z0-9.-]{1,253}$/
/** Form of the cursor in a history: the number of a change. */
export const CHANGE_CURSOR = /^\d{1,15}$/

export function afterNode({ providerId, nodeName }: NodeKey): string {
	return `${providerId}/${nodeName}`
}

/** @throws Failure InvalidCursor */
export function nodeIn(cursor: string): NodeKey {
	const [providerId = '', nodeName = ''] = valid(cursor, NODE_CURSOR).split('/')
	return { providerId, nodeName }
}

export function afterChange(seq: number): string {
	return String(seq)
}

/** @throws Failure InvalidCursor */
export function changeIn(cursor: string): number {
	return Number(valid(cursor, CHANGE_CURSOR))
}

function valid(cursor: string, form: RegExp): string {
	if (form.test(cursor)) return cursor
	throw new Failure<InventoryCode>('InvalidCursor', 'the cursor is not one that this API returned: start again without a cursor')
}

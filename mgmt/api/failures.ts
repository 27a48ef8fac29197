import type { InventoryCode } from '../inventory/inventory.ts'
import type { Failure } from '../../runtime/errors.ts'

/** The error codes of the inventory API, and their HTTP status. */
const own = { BAD_REQUEST: 400, NODE_UNKNOWN: 404, PORT_UNKNOWN: 404, INSTANCE_UNKNOWN: 404, NODE_AMBIGUOUS: 409 } as const
const ofInventory: Readonly<Record<InventoryCode, number>> = {
	InvalidCursor: 400,
	BackupUnsupported: 501,
	Disabled: 503,
	Superseded: 503,
	Unavailable: 503,
}
const statuses: Readonly<Record<string, number>> = { ...own, ...ofInventory }
export type ApiCode = keyof typeof own

export function statusOf({ code, retry }: Failure): number {
	return statuses[code] ?? (retry ? 503 : 500)
}

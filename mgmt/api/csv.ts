import type { ChangeEntry, InventoryNode } from '../../contract/inventory-api.ts'

/** Turns responses into CSV (RFC 4180). Pure. */

const NODE_COLUMNS = ['providerId', 'nodeName', 'instanceId', 'owner', 'state', 'reason', 'changedAt'] as const
const NIC_COLUMNS = ['name', 'portId', 'macAddress', 'address', 'subnet', 'network', 'state', 'reason', 'message'] as const

/** Returns one line per NIC. A node without NICs has one line. */
export function nodesCsv(nodes: readonly InventoryNode[]): string {
	const lines = nodes.flatMap(node => {
		const { namespace, name } = node.owner ?? {}
		const owner = namespace === undefined ? '' : `${namespace}/${name}`
		const own = NODE_COLUMNS.map(column => (column === 'owner' ? owner : node[column]))
		if (node.nics.length === 0) return [[...own, ...NIC_COLUMNS.map(() => '')]]
		return node.nics.map(({ subnet, ...nic }) => {
			const of = { ...nic, subnet: subnet?.name, network: subnet?.networkName ?? subnet?.networkId }
			return [...own, ...NIC_COLUMNS.map(column => of[column])]
		})
	})
	return csv([...NODE_COLUMNS, ...NIC_COLUMNS.map(column => `nic.${column}`)], lines)
}

export function changesCsv(changes: readonly ChangeEntry[]): string {
	const columns = ['seq', 'at', 'providerId', 'nodeName', 'nic', 'portId', 'kind', 'actor', 'reason', 'message', 'difference']
	const lines = changes.map(change => {
		const { seq, at, providerId, nodeName, nic, portId, kind, actor, reason, message, difference } = change
		return [seq, at, providerId, nodeName, nic, portId, kind, `${actor.kind} ${actor.name}`, reason, message, JSON.stringify(difference)]
	})
	return csv(columns, lines)
}

type Cell = string | number | undefined

function csv(columns: readonly string[], lines: readonly (readonly Cell[])[]): string {
	return [columns, ...lines].map(line => `${line.map(cellOf).join(',')}\r\n`).join('')
}

/** A spreadsheet would run a cell that begins with one of these characters as a formula, so it gets an apostrophe. */
const isFormula = /^[=+\-@\t\r]/

function cellOf(value: Cell = ''): string {
	const text = String(value)
	const safe = isFormula.test(text) ? `'${text}` : text
	return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Returns whether a client prefers CSV to JSON, by the header Accept. @see RFC 9110, 12.5.1 */
export function prefersCsv(accept: string | undefined): boolean {
	if (accept === undefined) return false
	const quality = (type: string) => {
		const range = accept.split(',').find(one => one.split(';')[0]?.trim().toLowerCase() === type)
		return range === undefined ? 0 : Number(/;\s*q=([\d.]+)/i.exec(range)?.[1] ?? 1)
	}
	return quality('text/csv') > Math.max(quality('application/json'), quality('application/*'))
}

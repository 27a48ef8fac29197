import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import * as z from 'zod'
import { canonicalText } from '../../contract/canonical.ts'
import { StoredInterface } from '../../contract/interface.ts'
import { MAX_INTERFACES } from '../../contract/names.ts'
import { Id, NodeName } from '../../contract/primitives.ts'
import { readBounded } from '../../runtime/bounded-json.ts'
import { Failure } from '../../runtime/errors.ts'
import { faultsIn } from '../../runtime/faults.ts'
import type { Change } from './inventory.ts'
import { loadNodes, nameOfKey } from './load.ts'
import { partsOf } from './batch.ts'
import { record, type Store } from './record.ts'

/** The file of the Go operator: `{"records": [...]}`. */

const Record = z.object({
	providerId: Id.min(1),
	nodeName: z.string(),
	instanceId: z.string().optional(),
	config: z.unknown(),
	updatedAt: z.string().max(40).optional(),
})
/** The Go operator wrote "" and 0 for unknown values, and omitted an id of 0. It stored more than viola accepts today. */
const Nic = z.preprocess(nic => (isObject(nic) ? withId(nic) : nic), StoredInterface.extend({ id: z.int().min(0).max(9) }))
const Node = z.object({
	nodeName: z.string().toLowerCase().pipe(NodeName),
	instanceId: Id.optional(),
	interfaces: z.array(Nic).max(MAX_INTERFACES).nullable().default([]),
})
const File = z.object({ records: z.array(z.unknown()).max(100_000).nullable().default([]) })

const bounds = { bytes: 128 * 1024 * 1024, depth: 12, values: 10_000_000 } as const

export type Imported = { nodes: number; rejected: string[] }
type Sent = Extract<Change, { kind: 'sent' }>

/**
 * Stores every record of the file, unless that was done before or the database was made without it. A node that is stored already stays as
 * it is. The file is not changed.
 *
 * @returns undefined if there was nothing to do
 * @throws Failure ImportFailed if the file cannot be read or is of another shape, or if what was stored differs; or the error of the database
 */
export async function importOnce(store: Store, path: string, now: number): Promise<Imported | undefined> {
	const { imported, epoch } = await store.db
		.selectFrom('revision')
		.select(['imported', 'epoch'])
		.where('id', '=', 1)
		.executeTakeFirstOrThrow()
	if (imported !== '') return undefined
	const text = await textOf(path)
	const mark = text === undefined ? 'none' : sha256(text)
	const result = text === undefined ? undefined : await importText(store, text, epoch, now)
	await store.db.updateTable('revision').set({ imported: mark }).where('id', '=', 1).execute()
	return result
}

async function importText(store: Store, text: string, epoch: string, now: number): Promise<Imported> {
	const { changes, rejected } = readRecords(text, now)
	const fresh = await unknownOf(store, changes)
	await record(store, epoch, fresh, () => {})
	await verify(store, changes, fresh)
	return { nodes: fresh.length, rejected }
}

async function textOf(path: string): Promise<string | undefined> {
	try {
		const { size } = await stat(path)
		if (size > bounds.bytes) throw failed(`${path}: has ${size} bytes, and at most ${bounds.bytes} are read`)
		return await readFile(path, 'utf8')
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
		throw error
	}
}

/** Parses the records one by one, so that one that cannot be used does not keep the others out. */
export function readRecords(text: string, now: number): { changes: Sent[]; rejected: string[] } {
	const file = readBounded(text, bounds, File)
	if ('fault' in file) throw failed(`the file to import cannot be used: ${file.fault}`)
	const read = (file.value.records ?? []).map((value, i) => readRecord(value, i, now))
	const changes = read.flatMap(one => ('change' in one ? [one.change] : []))
	const unique = new Map(changes.map(change => [nameOfKey(change), change]))
	return { changes: [...unique.values()], rejected: read.flatMap(one => ('fault' in one ? [one.fault] : [])) }
}

function readRecord(value: unknown, position: number, now: number): { change: Sent } | { fault: string } {
	const outer = Record.safeParse(value)
	if (!outer.success) return { fault: `records[${position}]: ${faultsIn(outer.error)}` }
	const { providerId, instanceId, config, updatedAt = '' } = outer.data
	const own = { nodeName: outer.data.nodeName, ...(instanceId && { instanceId }), ...(isObject(config) && config) }
	const node = Node.safeParse(own)
	if (!node.success) return { fault: `records[${position}]: ${faultsIn(node.error)}` }
	const interfaces = node.data.interfaces ?? []
	if (new Set(interfaces.map(({ id }) => id)).size < interfaces.length) return { fault: `records[${position}]: two interfaces have one id` }
	const at = Number.isNaN(Date.parse(updatedAt)) ? now : Date.parse(updatedAt)
	return { change: { kind: 'sent', at, providerId, actor: { kind: 'mgmt', name: 'import' }, ...node.data, interfaces } }
}

async function unknownOf({ db }: Store, changes: readonly Sent[]): Promise<Sent[]> {
	const fresh: Sent[] = []
	for (const part of partsOf(changes) as Sent[][]) {
		const stored = await loadNodes(db, part)
		fresh.push(...part.filter(change => stored.get(nameOfKey(change))?.node === undefined))
	}
	return fresh
}

/** Compares what is stored with the file: every node of it is there, and each that was imported has the hash of its record. */
async function verify({ db }: Store, all: readonly Sent[], fresh: readonly Sent[]): Promise<void> {
	const hashes = new Map(fresh.map(change => [nameOfKey(change), sha256(canonicalText(change.interfaces))]))
	for (const part of partsOf(all) as Sent[][]) {
		const stored = await loadNodes(db, part)
		for (const change of part) {
			const hash = stored.get(nameOfKey(change))?.node?.hash
			const wanted = hashes.get(nameOfKey(change))
			if (hash === undefined || (wanted !== undefined && hash !== wanted))
				throw failed(`node ${change.nodeName} of provider ${change.providerId} was not stored as the file has it`)
		}
	}
}

function withId(nic: object): object {
	const known = Object.fromEntries(
		Object.entries(nic).filter(([key, value]) => value !== null && value !== '' && !(key === 'mtu' && value === 0)),
	)
	const [, digit = '0'] = /^multinic(\d)$/.exec(String(known.name)) ?? []
	return { id: Number(digit), ...known }
}

function failed(message: string): Failure {
	return new Failure('ImportFailed', message)
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sha256(text: string): string {
	return createHash('sha256').update(text).digest('hex')
}

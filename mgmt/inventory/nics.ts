import { type Interface, settle, type WantedInterface } from '../../contract/interface.ts'
import { differenceOf, wordsOfDifference } from './difference.ts'
import type { Draft } from './drafts.ts'
import type { Difference } from './records.ts'
import type { NicRow } from './schema.ts'

/** One list of interfaces, as sent or as in force. */
export type Listing = {
	at: number
	/** Before it, and in it. */
	old: readonly Interface[]
	interfaces: readonly Interface[]
	/** Whether viola accepted it from mgmt: then a NIC that it does not list is not wanted. Otherwise the row, with its id, is kept. */
	isSent: boolean
	seenAt: ReadonlyMap<string, number>
}

export type Place = { providerId: string; nodeName: string }

/**
 * Returns the rows of a node for a list of interfaces. The list is right where it differs from the rows. An unchanged row is the same object
 * as before.
 */
export function rowsFor(place: Place, rows: readonly NicRow[], listing: Listing): { rows: NicRow[]; drafts: Draft[] } {
	const wanted = distinct(settle(listing.interfaces))
	const placed = wanted.map(nic => placeOne(place, nic, rowOf(nic, rows), listing))
	const kept = rows.filter(row => !wanted.some(nic => rowOf(nic, rows) === row))
	const left = kept.filter(row => !listing.isSent && !wanted.some(nic => nic.id === row.id)).map(notInForce)
	const leaving = listing.isSent ? kept : kept.filter(row => wanted.some(nic => nic.id === row.id) || wasInForce(row, listing))
	const drafts = [...placed.flatMap(({ draft }) => draft ?? []), ...leaving.map(removed)]
	return { rows: [...placed.map(({ row }) => row), ...left].toSorted((a, b) => a.id - b.id), drafts }
}

/** Returns whether the rows are those of the interfaces, and whether it is known of each that viola accepted it, if the list was sent. */
export function areInForce(rows: readonly NicRow[], { interfaces, isSent }: Pick<Listing, 'interfaces' | 'isSent'>): boolean {
	const wanted = distinct(interfaces.map((nic, position) => ({ ...nic, id: nic.id ?? position })))
	if (rows.length !== wanted.length) return false
	return wanted.every(nic => {
		const row = rows.find(({ id }) => id === nic.id)
		const { port, mac, address, subnet } = factsOf(nic)
		const isSame = row?.port === port && row.mac === mac && row.address === address && row.subnet === subnet
		return isSame && row.reason !== NOT_IN_FORCE && (!isSent || row.sent_at !== null)
	})
}

/**
 * Returns the interfaces as rows can have them: an id and a port are of one row only. Older node configs, and those of another writer, may
 * repeat them. The first interface with an id counts, and only the first with a port has the port.
 */
function distinct<Nic extends Interface & { id: number }>(nics: readonly Nic[]): Nic[] {
	const ofId = nics.filter(({ id }, at) => nics.findIndex(other => other.id === id) === at)
	return ofId.map((nic, at) => {
		const { portId, ...rest } = nic
		const isFirst = portId === undefined || ofId.findIndex(other => other.portId === portId) === at
		return isFirst ? nic : (rest as Nic)
	})
}

/** Finds the row of an interface by its port, or by its MAC where one of them has no port. */
function rowOf(nic: Interface, rows: readonly NicRow[]): NicRow | undefined {
	const byPort = nic.portId === undefined ? undefined : rows.find(row => row.port === nic.portId)
	return byPort ?? rows.find(row => row.mac === nic.macAddress && (row.port === null || nic.portId === undefined))
}

type Placed = { row: NicRow; draft?: Draft }

function placeOne(place: Place, nic: WantedInterface, row: NicRow | undefined, listing: Listing): Placed {
	const what = { nic: nic.id, port: nic.portId ?? null }
	const sent_at = listing.isSent ? listing.at : (row?.sent_at ?? null)
	if (!row) return { row: { ...newRow(place, nic, listing), sent_at }, draft: { ...what, kind: 'NicAdded', message: wordsOf(nic) } }
	const anew = { ...row, ...waiting, ...factsOf(nic), id: nic.id, sent_at }
	if (row.id !== nic.id) {
		const difference = { id: [row.id, nic.id] } as const
		return { row: anew, draft: { ...what, kind: 'IdCorrected', difference, message: wordsOfDifference(difference) } }
	}
	if (row.reason === NOT_IN_FORCE) return { row: anew, draft: { ...what, kind: 'NicAdded', message: wordsOf(nic) } }
	const difference = differenceFrom(listing.old, row, nic)
	if (Object.keys(difference).length === 0) return { row: row.sent_at === sent_at || row.sent_at !== null ? row : { ...row, sent_at } }
	return { row: anew, draft: { ...what, kind: 'NicChanged', difference, message: wordsOfDifference(difference) } }
}

function newRow({ providerId, nodeName }: Place, nic: WantedInterface, { at, seenAt }: Listing): NicRow {
	const seen_at = seenAt.get(nic.portId ?? '') ?? at
	return { provider_id: providerId, node: nodeName, id: nic.id, ...factsOf(nic), ...waiting, seen_at, sent_at: null }
}

function factsOf({ portId, macAddress, address, subnetId }: Interface) {
	return { port: portId ?? null, mac: macAddress, address: address ?? null, subnet: subnetId ?? null }
}

/** Compares with the interface before, which has more fields than the row. A row that differs from its own interface is corrected. */
function differenceFrom(old: readonly Interface[], row: NicRow, nic: WantedInterface): Difference {
	const before = old.find(other => nameOf(other) === nameOf(nic))
	const ofInterface = before ? differenceOf(settled(before, row.id), nic) : {}
	if (Object.keys(ofInterface).length > 0) return ofInterface
	const { port, mac, address, subnet } = row
	return differenceOf({ port, mac, address, subnet }, factsOf(nic))
}

function nameOf({ portId, macAddress }: Interface): string {
	return portId ?? macAddress
}

function wordsOf({ macAddress, address }: Interface): string {
	return address === undefined ? macAddress : `${macAddress}, ${address}`
}

const waiting = { state: 'Pending', reason: '', message: '', started_at: null, settled_at: null } as const
const NOT_IN_FORCE = 'NotInForce'

/** The row of a port that the node config does not list, although OpenStack may still have the port: it keeps the id for the port. */
export function notInForce(row: NicRow): NicRow {
	return row.reason === NOT_IN_FORCE ? row : { ...row, ...waiting, reason: NOT_IN_FORCE, sent_at: null }
}

function wasInForce(row: NicRow, { old }: Listing): boolean {
	return row.reason !== NOT_IN_FORCE && old.some(nic => nameOf(nic) === (row.port ?? row.mac))
}

function removed({ id, port, mac }: NicRow): Draft {
	return { kind: 'NicRemoved', nic: id, port, message: mac }
}

/** Fills in defaults, so that a default that is written out is no difference. */
function settled(nic: Interface, id: number): WantedInterface {
	const [only] = settle([{ ...nic, id }])
	if (!only) throw new Error('one interface has settled to none')
	return only
}

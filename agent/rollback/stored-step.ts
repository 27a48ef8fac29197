import * as z from 'zod'
import type { Change, Notice, UndoStep } from '../model/change.ts'
import { memoized } from '../model/memoize.ts'
import { OUR_PATHS, RECORD_PATH } from '../model/paths.ts'
import { Int, Ip, Prefix, RecordedAddress, RecordedRoute, Word } from '../model/record-network.ts'

/** A step of an undo stored on the host. Root applies it, so each string is restricted to its use: a word of a command line, or a path. */

const Name = z.string().regex(/^[\w.@-]{1,128}$/)
const link = Int
/** The paths that a run writes. */
const Path = z.string().refine(path => path === RECORD_PATH || OUR_PATHS.has(path), 'is not a file of MultiNIC')
const file = () => z.object({ content: z.string(), mode: z.int().min(0).max(0o7777), gid: Int })
/** `+`: the broadcast address is derived from the network. */
const address = () => RecordedAddress.extend({ broadcast: z.union([Ip, z.literal('+')]).optional() })
const rule = () =>
	z.object({ family: z.union([z.literal(4), z.literal(6)]), from: Prefix, to: Prefix.optional(), priority: Int, table: Int })
const nextHopObject = () => z.object({ id: Int, family: z.union([z.literal(4), z.literal(6)]), via: Ip.optional(), link: link.optional() })
const neighbour = () =>
	z.object({ link, ip: Ip, mac: z.string().regex(/^[0-9a-f:]{0,60}$/), noArp: z.literal(true).optional(), flags: z.array(Word).optional() })

type Shapes<T extends { kind: string }> = Readonly<Record<T['kind'], () => z.ZodType>>

/** Each schema is created on first use, because most runs change nothing and need none. */
const schemaOf = memoized((shape: () => z.ZodType) => shape())

const changeShapes: Shapes<Change> = {
	rename: () => z.object({ link, to: Name }),
	up: () => z.object({ link }),
	down: () => z.object({ link }),
	mtu: () => z.object({ link, bytes: Int }),
	addAltname: () => z.object({ link, name: Name }),
	removeAltname: () => z.object({ link, name: Name }),
	addAddress: () => z.object({ link, address: address() }),
	removeAddress: () => z.object({ link, address: address() }),
	addRoute: () => z.object({ route: RecordedRoute }),
	removeRoute: () => z.object({ route: RecordedRoute }),
	addRule: () => z.object({ rule: rule() }),
	removeRule: () => z.object({ rule: rule() }),
	addNextHop: () => z.object({ object: nextHopObject() }),
	addNeighbour: () => z.object({ neighbour: neighbour() }),
	sysctl: () => z.object({ name: Name, key: z.string().regex(/^ipv[46]\/\w{1,60}$/), value: z.string().regex(/^[\w -]{0,60}$/) }),
	writeFile: () => z.object({ path: Path, file: file() }),
	removeFile: () => z.object({ path: Path }),
}

/** Actions of a rollback; it has no others. */
const noticeShapes: Shapes<Notice> = {
	waitForNames: () => z.object({ names: z.array(Name) }),
	unmanage: () => z.object({ link, name: Name }),
	manage: () => z.object({ link, name: Name }),
	reloadUdev: () => z.object({}),
	loadProfiles: () => z.object({ paths: z.array(Path) }),
}

/** The content is unchanged, including fields that no schema defines, because this agent or an earlier version wrote it. */
export const StoredStep = z.custom<UndoStep>(value => isStep(value), 'is not a step that this agent knows')

function isStep(value: unknown): boolean {
	const { change, action } = Object(value) as Record<string, unknown>
	if (change !== undefined) return action === undefined && isShaped(change, changeShapes)
	return isShaped(action, noticeShapes)
}

function isShaped(value: unknown, shapes: Readonly<Record<string, () => z.ZodType>>): boolean {
	if (typeof value !== 'object' || value === null || !('kind' in value)) return false
	const [, shape] = Object.entries(shapes).find(([kind]) => kind === value.kind) ?? []
	return shape !== undefined && schemaOf(shape).safeParse(value).success && isOneLine(value)
}

/** Everything except the content of a file becomes part of a command line. */
function isOneLine(value: object): boolean {
	return 'kind' in value && (value.kind === 'writeFile' || !/\\u00[01]|\\[nrtbf]/.test(JSON.stringify(value)))
}

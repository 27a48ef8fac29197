import * as z from 'zod'
import type { Change } from '../model/change.ts'
import { OUR_PATHS, RECORD_PATH } from '../model/paths.ts'
import { Int, Ip, Prefix, RecordedAddress, RecordedRoute, Word } from '../model/record-network.ts'

/**
 * A change as stored in a rollback on the host. Root applies it, so each string is limited to what it becomes: a word of a line, or a path.
 */

const Name = z.string().regex(/^[\w.@-]{1,128}$/)
const link = Int
/** The paths that a run writes. */
const Path = z.string().refine(path => path === RECORD_PATH || OUR_PATHS.has(path), 'is no file of ours')
const file = () => z.object({ content: z.string(), mode: z.int().min(0).max(0o7777), gid: Int })
/** `+`: the broadcast address that follows from the network. */
const address = () => RecordedAddress.extend({ broadcast: z.union([Ip, z.literal('+')]).optional() })
const rule = () =>
	z.object({ family: z.union([z.literal(4), z.literal(6)]), from: Prefix, to: Prefix.optional(), priority: Int, table: Int })
const nextHopObject = () => z.object({ id: Int, family: z.union([z.literal(4), z.literal(6)]), via: Ip.optional(), link: link.optional() })
const neighbour = () =>
	z.object({ link, ip: Ip, mac: z.string().regex(/^[0-9a-f:]{0,60}$/), noArp: z.literal(true).optional(), flags: z.array(Word).optional() })

/** Each schema is created on first use: most runs change nothing and need none. */
const shapes: Readonly<Record<Change['kind'], () => z.ZodType>> = {
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
	seen: () => z.object({ names: z.array(Name) }),
	ask: () => z.object({ link, name: Name, ips: z.array(Ip), mac: z.string() }),
	sysctl: () => z.object({ name: Name, key: z.string().regex(/^ipv[46]\/\w{1,60}$/), value: z.string().regex(/^[\w -]{0,60}$/) }),
	unmanage: () => z.object({ link, name: Name }),
	manage: () => z.object({ link, name: Name }),
	reload: () => z.object({}),
	load: () => z.object({ paths: z.array(Path) }),
	writeFile: () => z.object({ path: Path, file: file() }),
	removeFile: () => z.object({ path: Path }),
}

/** The content is kept as it is, including fields that no schema names: this agent or an earlier one wrote it. */
export const StoredChange = z.custom<Change>(value => isChange(value), 'is no change that this agent knows')

function isChange(value: unknown): boolean {
	if (typeof value !== 'object' || value === null || !('kind' in value)) return false
	return shapeOf(value.kind)?.safeParse(value).success === true && isOneLine(value)
}

const made = new Map<unknown, z.ZodType | undefined>()

function shapeOf(kind: unknown): z.ZodType | undefined {
	if (!made.has(kind)) made.set(kind, Object.entries(shapes).find(([known]) => known === kind)?.[1]())
	return made.get(kind)
}

/** Everything but the content of a file becomes a word of a line. */
function isOneLine(value: object): boolean {
	return 'kind' in value && (value.kind === 'writeFile' || !/\\u00[01]|\\[nrtbf]/.test(JSON.stringify(value)))
}

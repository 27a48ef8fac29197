import * as z from 'zod'
import type { FileState, HostState } from '../host/state.ts'
import { OUR_PATHS, RECORD_PATH } from '../paths.ts'
import { isIn, type OwnFiles, ownFiles } from '../persist/own-files.ts'
import { once } from '../persist/text.ts'
import { KERNEL } from './origin.ts'
import { Int, Ip, Prefix, RecordedAddress, RecordedRoute } from './record-network.ts'

/**
 * What the host was before we came, and what of it is ours now: `/var/lib/multinic/record.json`, kept from the first change
 * until the last interface is gone. A removal restores from it, byte for byte.
 */

const Before = z.object({ content: z.string(), mode: z.int().min(0).max(0o7777), gid: Int }).nullable()

const OurRoute = z.object({ to: Prefix, via: Ip.optional(), table: Int, metric: Int })

/** A device below /sys/devices and the driver that it is bound to. */
export const SysfsDevice = z.object({ path: z.string().regex(/^(?!.*\/\.\.(\/|$))\/sys\/devices\/[^\s]{1,400}$/), driver: z.string() })
export type SysfsDevice = z.infer<typeof SysfsDevice>

/** A link before it was ours. */
const OriginalLink = z.object({
	name: z.string().regex(/^[\w.@-]+$/),
	altnames: z.array(z.string().regex(/^[\w.@-]+$/)),
	mtu: z.int(),
	up: z.boolean(),
	sysctls: z.record(z.string().regex(/^ipv[46]\/\w{1,60}$/), z.string().regex(/^[\w -]{0,60}$/)),
	/** By NetworkManager. */
	managed: z.boolean().optional(),
	/** The daemon that configured it. */
	daemon: z.enum(['NetworkManager', 'systemd-networkd']).optional(),
	/** Its ifindex then, which its routes name. */
	ifindex: z.int().optional(),
	addresses: z.array(RecordedAddress).optional(),
	routes: z.array(RecordedRoute).optional(),
	/** When they were observed (seconds since 1970): lifetimes run from then. */
	observed: z.int().optional(),
})
export type OriginalLink = z.infer<typeof OriginalLink>

/** A removal writes there. */
const OurPath = z.string().refine(path => OUR_PATHS.has(path), 'is no file of ours')

export const RecordedLink = z.object({
	mac: z.string().regex(/^[0-9a-f:]{17}$/),
	id: Int,
	name: z.string().regex(/^[\w.@-]{1,15}$/),
	original: OriginalLink,
	/** Where it was when it became ours; absent: a virtual link, or recorded by an earlier version. */
	device: SysfsDevice.optional(),
	/** What we gave it, and may therefore take away. */
	mtu: z.int().optional(),
	addresses: z.array(Prefix),
	/** What we gave it before: a daemon that read our files at boot gives it again when the carrier comes back. */
	former: z.array(Prefix).default([]),
	routes: z.array(OurRoute),
	/** The first of our tables and priorities, as in force, then as before; absent: only ever 100 and 10000. */
	bases: z
		.array(z.object({ table: z.int(), priority: z.int() }))
		.min(1)
		.optional(),
	/** Path → what was there before us, and what we put there. */
	files: z.record(OurPath, z.object({ before: Before, after: z.string() })),
})
export type RecordedLink = z.infer<typeof RecordedLink>

export const HostRecord = z.object({ version: z.literal(1), links: z.array(RecordedLink) })
export type HostRecord = z.infer<typeof HostRecord>

/** Every check asks for the record, and reading it is dear. */
const parsed = once(({ content }: FileState) => HostRecord.parse(JSON.parse(content)))

/**
 * @returns the record; an empty one where there is no file
 * @throws ZodError or SyntaxError when the text is not a record
 */
export function parseRecord(file: FileState | undefined): HostRecord {
	return file === undefined ? { version: 1, links: [] } : parsed(file)
}

/** @returns what the host remembers of us; `attempt` has made sure that it can be read. Where the record is lost, what our files say */
export function recordOf(host: HostState): HostRecord {
	const file = host.files[RECORD_PATH]
	return file === undefined ? { version: 1, links: ownFiles(host.files).map(own => rebuilt(own, host)) } : parseRecord(file)
}

/** @returns whether this host has files of ours, but no record of what was there before them */
export function isRecordLost({ files }: HostState): boolean {
	return files[RECORD_PATH] === undefined && ownFiles(files).length > 0
}

/** What the link was before us is not known: a removal leaves name, MTU and state as they are, and udev names the link at the next boot. */
function rebuilt(own: OwnFiles, { links, routes }: HostState): RecordedLink {
	const { mac, id, name, files } = own
	const link = links.find(one => (one.permanentMac ?? one.mac) === mac)
	const cidrs = link?.addresses.map(({ cidr }) => cidr) ?? []
	const given = routes.filter(route => route.protocol !== KERNEL && route.link === link?.ifindex && isIn(own, route.to))
	return {
		mac,
		id,
		name,
		original: {
			name: link?.name ?? name,
			altnames: [...(link?.altnames ?? [])],
			mtu: link?.mtu ?? 1500,
			up: link?.up ?? false,
			sysctls: {},
		},
		addresses: cidrs.filter(cidr => isIn(own, cidr.split('/')[0] ?? cidr)),
		former: [],
		routes: given.map(({ to, via, table, metric }) => ({ to, table, metric, ...(via !== undefined && { via }) })),
		files: Object.fromEntries(Object.entries(files).map(([path, after]) => [path, { before: null, after }])),
	}
}

/** @returns the record as a file, or undefined when there is nothing to remember */
export function recordFile({ version, links }: HostRecord): FileState | undefined {
	if (links.length === 0) return undefined
	const sorted = links.toSorted((a, b) => a.id - b.id || a.mac.localeCompare(b.mac))
	// Parsing puts the keys in one order, whoever made the object: the same record is the same text.
	return { content: `${JSON.stringify(HostRecord.parse({ version, links: sorted }), null, '\t')}\n`, mode: 0o600, gid: 0 }
}

/** @returns what is remembered of the link with this MAC */
export function recorded(record: HostRecord, mac: string): RecordedLink | undefined {
	return record.links.find(link => link.mac === mac)
}

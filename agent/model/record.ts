import * as z from 'zod'
import type { FileState, HostState } from './host-state.ts'
import { memoized } from './memoize.ts'
import { KERNEL } from './origin.ts'
import { isIn, type OwnFiles, ownFiles } from './own-files.ts'
import { OUR_PATHS, RECORD_PATH } from './paths.ts'
import { Int, Ip, Prefix, RecordedAddress, RecordedRoute } from './record-network.ts'

/**
 * The original state of the host, and the parts of it that MultiNIC manages: `/var/lib/multinic/record.json`, which exists from the first
 * change until the last interface is removed. A removal restores the original state from it, files byte for byte.
 */

const Before = z.object({ content: z.string(), mode: z.int().min(0).max(0o7777), gid: Int }).nullable()

const OurRoute = z.object({ to: Prefix, via: Ip.optional(), table: Int, metric: Int })

/** A device below /sys/devices and the driver that it is bound to. */
export const SysfsDevice = z.object({ path: z.string().regex(/^(?!.*\/\.\.(\/|$))\/sys\/devices\/[^\s]{1,400}$/), driver: z.string() })
export type SysfsDevice = z.infer<typeof SysfsDevice>

/** A link before MultiNIC managed it. */
const OriginalLink = z.object({
	name: z.string().regex(/^[\w.@-]+$/),
	altnames: z.array(z.string().regex(/^[\w.@-]+$/)),
	mtu: z.int(),
	up: z.boolean(),
	sysctls: z.record(z.string().regex(/^ipv[46]\/\w{1,60}$/), z.string().regex(/^[\w -]{0,60}$/)),
	/** Whether NetworkManager managed it. */
	managed: z.boolean().optional(),
	/** The daemon that configured it. */
	daemon: z.enum(['NetworkManager', 'systemd-networkd']).optional(),
	/** Its ifindex at that time, to which its routes refer. */
	ifindex: z.int().optional(),
	addresses: z.array(RecordedAddress).optional(),
	routes: z.array(RecordedRoute).optional(),
	/** When they were observed (seconds since 1970): lifetimes count from then. */
	observed: z.int().optional(),
})
export type OriginalLink = z.infer<typeof OriginalLink>

/** Restricts the paths, because a removal writes to them. */
const OurPath = z.string().refine(path => OUR_PATHS.has(path), 'is not a file of MultiNIC')

export const RecordedLink = z.object({
	mac: z.string().regex(/^[0-9a-f:]{17}$/),
	id: Int,
	name: z.string().regex(/^[\w.@-]{1,15}$/),
	original: OriginalLink,
	/** The device when MultiNIC started to manage it; absent: a virtual link, or recorded by an earlier version. */
	device: SysfsDevice.optional(),
	/** What MultiNIC configured, and may therefore remove. */
	mtu: z.int().optional(),
	addresses: z.array(Prefix),
	/** Addresses of earlier configs: a daemon that read the files of MultiNIC at boot adds them again when the carrier returns. */
	former: z.array(Prefix).default([]),
	routes: z.array(OurRoute),
	/** Bases of the tables and priorities, the current ones first, then former ones; absent: always the defaults, 100 and 10000. */
	bases: z
		.array(z.object({ table: z.int(), priority: z.int() }))
		.min(1)
		.optional(),
	/** Path → the original file, and what MultiNIC wrote. */
	files: z.record(OurPath, z.object({ before: Before, after: z.string() })),
})
export type RecordedLink = z.infer<typeof RecordedLink>

export const HostRecord = z.object({ version: z.literal(1), links: z.array(RecordedLink) })
export type HostRecord = z.infer<typeof HostRecord>

/** Every check needs the record, and parsing it is expensive. */
const parsed = memoized(({ content }: FileState) => HostRecord.parse(JSON.parse(content)))

/**
 * @returns the record; an empty one if there is no file
 * @throws ZodError or SyntaxError when the text is not a record
 */
export function parseRecord(file: FileState | undefined): HostRecord {
	return file === undefined ? { version: 1, links: [] } : parsed(file)
}

/**
 * @returns the record of the host, which `attempt` has verified to be readable; if the record is missing, one rebuilt from the files of
 * MultiNIC
 */
export function recordOf(host: HostState): HostRecord {
	const file = host.files[RECORD_PATH]
	return file === undefined ? { version: 1, links: ownFiles(host.files).map(own => rebuilt(own, host)) } : parseRecord(file)
}

/** @returns whether this host has files of MultiNIC, but no record */
export function isRecordLost({ files }: HostState): boolean {
	return files[RECORD_PATH] === undefined && ownFiles(files).length > 0
}

/**
 * Rebuilds the record of a link. Its original state is unknown: a removal leaves its name, MTU and state as they are, and udev names it at
 * the next boot.
 */
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

/** @returns the record as a file, or undefined if it has no links */
export function recordFile({ version, links }: HostRecord): FileState | undefined {
	if (links.length === 0) return undefined
	const sorted = links.toSorted((a, b) => a.id - b.id || a.mac.localeCompare(b.mac))
	// Parsing normalizes the order of the keys, so that equal records have equal text.
	return { content: `${JSON.stringify(HostRecord.parse({ version, links: sorted }), null, '\t')}\n`, mode: 0o600, gid: 0 }
}

/** @returns the record of the link with this MAC */
export function recorded(record: HostRecord, mac: string): RecordedLink | undefined {
	return record.links.find(link => link.mac === mac)
}

import * as z from 'zod'
import type { FileState, HostState } from '../host/state.ts'
import { RECORD_PATH } from '../paths.ts'

/**
 * What the host was before we came, and what of it is ours now: `/var/lib/multinic/record.json`, kept from the first change
 * until the last interface is gone. A removal restores from it, byte for byte.
 */

const Before = z.object({ content: z.string(), mode: z.int(), gid: z.int() }).nullable()

const OurRoute = z.object({ to: z.string(), via: z.string().optional(), table: z.int(), metric: z.int() })

export const RecordedLink = z.object({
	mac: z.string(),
	id: z.int(),
	name: z.string(),
	original: z.object({
		name: z.string().regex(/^[\w.@-]+$/),
		altnames: z.array(z.string().regex(/^[\w.@-]+$/)),
		mtu: z.int(),
		up: z.boolean(),
		sysctls: z.record(z.string(), z.string()),
		/** By NetworkManager. */
		managed: z.boolean().optional(),
	}),
	/** What we gave it, and may therefore take away. */
	mtu: z.int().optional(),
	addresses: z.array(z.string()),
	/** What we gave it before: a daemon that read our files at boot gives it again when the carrier comes back. */
	former: z.array(z.string()).default([]),
	routes: z.array(OurRoute),
	/** Path → what was there before us, and what we put there. */
	files: z.record(z.string(), z.object({ before: Before, after: z.string() })),
})
export type RecordedLink = z.infer<typeof RecordedLink>

export const HostRecord = z.object({ version: z.literal(1), links: z.array(RecordedLink) })
export type HostRecord = z.infer<typeof HostRecord>

/**
 * @returns the record; an empty one where there is no file
 * @throws ZodError or SyntaxError when the text is not a record
 */
export function parseRecord(file: FileState | undefined): HostRecord {
	return file === undefined ? { version: 1, links: [] } : HostRecord.parse(JSON.parse(file.content))
}

/** @returns what the host remembers of us; `attempt` has made sure that it can be read */
export function recordOf(host: HostState): HostRecord {
	return parseRecord(host.files[RECORD_PATH])
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

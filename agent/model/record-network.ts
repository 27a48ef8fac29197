import * as z from 'zod'
import { ADDRESS_FLAGS } from './address.ts'

/** Addresses and routes in the record of a host. Each string becomes part of an `ip` command line, so its characters are restricted. */

export const Int = z.int().min(0)
export const Ip = z.string().regex(/^[0-9a-f:.]{2,45}$/)
export const Prefix = z.string().regex(/^[0-9a-f:.]{2,45}\/\d{1,3}$/)
export const Word = z.string().regex(/^[\w.@:/,+-]{1,32}$/)
const Words = z.string().regex(/^[\w.@:/,+ -]{1,400}$/)
const Family = z.union([z.literal(4), z.literal(6)])
const Seconds = z.int().min(0)

export const RecordedAddress = z.object({
	family: Family,
	cidr: Prefix,
	global: z.boolean(),
	dynamic: z.boolean(),
	validSeconds: Seconds.optional(),
	preferredSeconds: Seconds.optional(),
	duplicate: z.boolean().optional(),
	broadcast: Ip.optional(),
	anycast: Ip.optional(),
	peer: Ip.optional(),
	scope: z.int().optional(),
	label: Word.optional(),
	metric: z.int().optional(),
	flags: z.array(z.enum(ADDRESS_FLAGS)).readonly().optional(),
	protocol: z.int().optional(),
})

const Hop = z.object({
	via: Ip.optional(),
	link: z.int().optional(),
	weight: z.int(),
	onlink: z.boolean(),
	encap: Words.optional(),
	realms: Word.optional(),
})

export const RecordedRoute = z.object({
	family: Family,
	to: Prefix,
	via: Ip.optional(),
	link: z.int().optional(),
	table: z.int(),
	metric: z.int(),
	protocol: z.int(),
	type: z.int(),
	scope: z.int(),
	source: Ip.optional(),
	onlink: z.boolean(),
	nextHops: z.array(Hop).readonly().optional(),
	nextHopId: z.int().optional(),
	encap: Words.optional(),
	from: Prefix.optional(),
	tos: z.int().optional(),
	metrics: z.record(Word, Words).optional(),
	realms: Word.optional(),
	pref: z.enum(['low', 'high']).optional(),
	expiresSeconds: Seconds.optional(),
})

import * as z from 'zod'
import { MAX_INTERFACES } from './names.ts'

/** The first route table and the first rule priority of MultiNIC's interfaces: the interface with id N uses base + N. */
export type Bases = { table: number; priority: number }

/** The bases of hosts configured before bases could be set, and the default. */
export const DEFAULT_BASES: Bases = { table: 100, priority: 10_000 }

const LAST = MAX_INTERFACES - 1
/** Number of priorities before the base that belong to the rules which leave routing to pods to the main table. */
export const PRIORITIES_BEFORE = MAX_INTERFACES
/** Tables of the kernel: `default`, `main` and `local`. Table 0 does not exist. */
const RESERVED = { from: 253, to: 255 }

export const RouteTableBase = z
	.int()
	.min(1)
	.max(4_294_967_295 - LAST)
	.refine(base => base > RESERVED.to || base + LAST < RESERVED.from, 'must leave out the tables 253 to 255 for all ten interfaces')

/** The rules of the kernel start at 32766. */
export const RulePriorityBase = z
	.int()
	.min(PRIORITIES_BEFORE + 1)
	.max(32_765 - LAST)

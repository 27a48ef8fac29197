import * as z from 'zod'
import { MAX_INTERFACES } from './names.ts'

/** The first route table and the first rule priority of MultiNIC's interfaces: the interface with id N uses base + N. */
export type Bases = { table: number; priority: number }

/** The default bases, which are also those of hosts that were configured before bases could be set. */
export const DEFAULT_BASES: Bases = { table: 100, priority: 10_000 }

const LAST = MAX_INTERFACES - 1
/** Number of priorities directly before the base. They belong to the rules that send pod traffic to the main table. */
export const PRIORITIES_BEFORE = MAX_INTERFACES
/** The kernel's tables `default`, `main` and `local`. Table 0 does not exist. */
const RESERVED = { from: 253, to: 255 }

export const RouteTableBase = z
	.int()
	.min(1)
	.max(4_294_967_295 - LAST)
	.refine(base => base > RESERVED.to || base + LAST < RESERVED.from, 'must not be a base whose ten tables include 253 to 255')

/** The kernel's own rules start at priority 32766. */
export const RulePriorityBase = z
	.int()
	.min(PRIORITIES_BEFORE + 1)
	.max(32_765 - LAST)

import * as z from 'zod'
import { MAX_INTERFACES } from './names.ts'

/** The first route table and the first rule priority of our interfaces: that with id N has the Nth after it. */
export type Bases = { table: number; priority: number }

/** What a host has that was configured before bases could be chosen, and where none is given. */
export const DEFAULT_BASES: Bases = { table: 100, priority: 10_000 }

const LAST = MAX_INTERFACES - 1
/** As many priorities before the base are of the rules that leave the way to pods to the main table. */
export const PRIORITIES_BEFORE = MAX_INTERFACES
/** Of the kernel: `default`, `main` and `local`. Table 0 is none. */
const RESERVED = { from: 253, to: 255 }

export const RouteTableBase = z
	.int()
	.min(1)
	.max(4_294_967_295 - LAST)
	.refine(base => base > RESERVED.to || base + LAST < RESERVED.from, 'must leave out the tables 253 to 255 for all ten interfaces')

/** From 32766 on come the rules of the kernel. */
export const RulePriorityBase = z
	.int()
	.min(PRIORITIES_BEFORE + 1)
	.max(32_765 - LAST)

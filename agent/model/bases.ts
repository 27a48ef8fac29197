import { type Bases, DEFAULT_BASES, PRIORITIES_BEFORE } from '../../contract/bases.ts'
import type { WantedInterface } from '../../contract/interface.ts'
import { MAX_INTERFACES } from '../../contract/names.ts'
import type { Rule } from './host-state.ts'
import type { HostRecord, RecordedLink } from './record.ts'
import { MAIN } from './route.ts'

/** Route tables and rule priorities managed by MultiNIC: the desired ones, and those in the record of the host. */

/** @returns the desired bases of an interface */
export function basesOf({ bases = DEFAULT_BASES }: Pick<WantedInterface, 'bases'>): Bases {
	return bases
}

/** @returns the route table of the interface with this id */
export function tableOf(id: number, { table }: Bases): number {
	return table + id
}

/** @returns the recorded bases of a link, the current ones first; a record without bases means the default ones */
export function recordedBases(ours: Pick<RecordedLink, 'bases'> | undefined): readonly Bases[] {
	return ours ? (ours.bases ?? [DEFAULT_BASES]) : []
}

/** @returns the recorded bases of a link that are no longer desired */
export function formerBases(nic: Pick<WantedInterface, 'bases'>, ours: Pick<RecordedLink, 'bases'> | undefined): readonly Bases[] {
	return recordedBases(ours).filter(bases => !isSame(bases, basesOf(nic)))
}

/** A daemon that read the files of MultiNIC at boot may apply them again, so a few former bases are recorded. */
const MOST = 4

/** @returns the bases to record for an interface: none if it only ever had the default ones */
export function rememberedBases(nic: Pick<WantedInterface, 'bases'>, ours: Pick<RecordedLink, 'bases'> | undefined): { bases?: Bases[] } {
	const bases = [basesOf(nic), ...formerBases(nic, ours)].slice(0, MOST)
	return bases.every(one => isSame(one, DEFAULT_BASES)) ? {} : { bases }
}

/** @returns all bases that identify tables and rules managed by MultiNIC on a host */
export function basesInUse(interfaces: readonly WantedInterface[], { links }: HostRecord): readonly Bases[] {
	const all = [...interfaces.map(basesOf), ...links.flatMap(recordedBases)]
	const found = all.filter((bases, at) => all.findIndex(other => isSame(other, bases)) === at)
	return found.length === 0 ? [DEFAULT_BASES] : found
}

/**
 * Whether MultiNIC manages a rule: its priority and table match together, and it selects one source address and, at most, a pod network as
 * the destination.
 */
export function isOurRule(rule: Rule, bases: readonly Bases[]): boolean {
	if (!isOfOneAddress(rule)) return false
	if (isToPods(rule)) return bases.some(one => rule.priority >= podPriorityOf(0, one) && rule.priority < one.priority)
	const isOfBand = bases.some(({ priority }) => rule.priority >= priority && rule.priority < priority + 100)
	return rule.to === undefined && isOfBand && isOurTable(rule.table, bases)
}

/** Rules managed by MultiNIC select one source address. */
function isOfOneAddress({ family, from, plain }: Rule): boolean {
	return plain && from.endsWith(family === 4 ? '/32' : '/128')
}

/** Whether a rule looks up the main table for packets to a network. */
function isToPods({ to, table }: Rule): boolean {
	return to !== undefined && table === MAIN
}

/** Whether a rule belongs to the interface with this id. */
export function isRuleOf(id: number, rule: Rule, bases: Bases): boolean {
	if (!isOfOneAddress(rule)) return false
	if (isToPods(rule)) return rule.priority === podPriorityOf(id, bases)
	return rule.to === undefined && rule.priority === bases.priority + id && rule.table === tableOf(id, bases)
}

/** @returns the priority of an interface's rules that look up the main table for pods: these precede the table rules of all interfaces */
export function podPriorityOf(id: number, { priority }: Pick<Bases, 'priority'>): number {
	return priority - PRIORITIES_BEFORE + id
}

/** Whether a route table belongs to an interface managed by MultiNIC. */
export function isOurTable(table: number, bases: readonly Bases[]): boolean {
	return bases.some(one => table >= one.table && table < one.table + MAX_INTERFACES)
}

function isSame(one: Bases, other: Bases): boolean {
	return one.table === other.table && one.priority === other.priority
}

import type { WantedInterface } from '../../contract/interface.ts'
import { type Bases, DEFAULT_BASES, PRIORITIES_BEFORE } from '../../contract/bases.ts'
import { MAX_INTERFACES } from '../../contract/names.ts'
import type { Rule } from '../host/state.ts'
import type { HostRecord, RecordedLink } from './record.ts'

/** Which route tables and rule priorities are ours: those that are wanted, and those that the host's record has. */

/** The table of routes that name none. */
export const MAIN = 254

/** @returns the bases that an interface is wanted with */
export function basesOf({ bases = DEFAULT_BASES }: Pick<WantedInterface, 'bases'>): Bases {
	return bases
}

/** @returns the route table of the interface with this id */
export function tableOf(id: number, { table }: Bases): number {
	return table + id
}

/** @returns the bases that a link of ours has and had, that in force first; a record that names none is older than the choice */
export function recordedBases(ours: Pick<RecordedLink, 'bases'> | undefined): readonly Bases[] {
	return ours ? (ours.bases ?? [DEFAULT_BASES]) : []
}

/** @returns the bases that a link of ours had and is not to have any more */
export function formerBases(nic: Pick<WantedInterface, 'bases'>, ours: Pick<RecordedLink, 'bases'> | undefined): readonly Bases[] {
	return recordedBases(ours).filter(bases => !isSame(bases, basesOf(nic)))
}

/** A daemon that read our files at boot may give again what they said, so a few moves are remembered. */
const MOST = 4

/** @returns what the record says of the bases of an interface: nothing where it only ever had the default ones */
export function rememberedBases(nic: Pick<WantedInterface, 'bases'>, ours: Pick<RecordedLink, 'bases'> | undefined): { bases?: Bases[] } {
	const bases = [basesOf(nic), ...formerBases(nic, ours)].slice(0, MOST)
	return bases.every(one => isSame(one, DEFAULT_BASES)) ? {} : { bases }
}

/** @returns all bases that tell what is ours on a host */
export function basesInUse(interfaces: readonly WantedInterface[], { links }: HostRecord): readonly Bases[] {
	const all = [...interfaces.map(basesOf), ...links.flatMap(recordedBases)]
	const found = all.filter((bases, at) => all.findIndex(other => isSame(other, bases)) === at)
	return found.length === 0 ? [DEFAULT_BASES] : found
}

/** Whether a rule is ours: by its priority and its table together, and because it selects one source address and, of others, a pod network alone. */
export function isOurRule(rule: Rule, bases: readonly Bases[]): boolean {
	if (!isOfOneAddress(rule)) return false
	if (isToPods(rule)) return bases.some(one => rule.priority >= podPriorityOf(0, one) && rule.priority < one.priority)
	const isOfBand = bases.some(({ priority }) => rule.priority >= priority && rule.priority < priority + 100)
	return rule.to === undefined && isOfBand && isOurTable(rule.table, bases)
}

/** A rule of ours selects one source address. */
function isOfOneAddress({ family, from, plain }: Rule): boolean {
	return plain && from.endsWith(family === 4 ? '/32' : '/128')
}

/** Whether a rule leaves the way to a network to the main table. */
function isToPods({ to, table }: Rule): boolean {
	return to !== undefined && table === MAIN
}

/** Whether a rule is one of the interface with this id. */
export function isRuleOf(id: number, rule: Rule, bases: Bases): boolean {
	if (!isOfOneAddress(rule)) return false
	if (isToPods(rule)) return rule.priority === podPriorityOf(id, bases)
	return rule.to === undefined && rule.priority === bases.priority + id && rule.table === tableOf(id, bases)
}

/** @returns the priority of the rules of an interface that leave the way to pods to the main table: they come before those of all interfaces */
export function podPriorityOf(id: number, { priority }: Pick<Bases, 'priority'>): number {
	return priority - PRIORITIES_BEFORE + id
}

/** Whether a route table is that of one of our interfaces. */
export function isOurTable(table: number, bases: readonly Bases[]): boolean {
	return bases.some(one => table >= one.table && table < one.table + MAX_INTERFACES)
}

function isSame(one: Bases, other: Bases): boolean {
	return one.table === other.table && one.priority === other.priority
}

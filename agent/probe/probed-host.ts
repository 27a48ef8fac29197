import type { Echo, Packet } from '../host/ping.ts'
import type { Question } from '../host/probe-neighbours.ts'
import type { Tentative } from '../host/tentative-addresses.ts'
import type { HostState } from '../model/host-state.ts'
import type { Answer } from '../plan/lookup-losses.ts'
import type { Lookup } from '../plan/node-packets.ts'

/** What the probes read from a host and send from it. */
export type ProbedHost = {
	/** Returns one answer per packet, in order: which path the kernel uses for it. */
	lookUp(lookups: readonly Lookup[], links: HostState['links']): Promise<Answer[]>
	/** Sends new probes; a neighbour that has not answered after `withinMs` milliseconds counts as silent. */
	neighboursAnswer(questions: readonly Question[], withinMs: number): Promise<boolean[]>
	/** Returns one echo per packet, in order. */
	echoes(packets: readonly Packet[]): Promise<Echo[]>
	nameservers(): string[]
	tentative(): Promise<Tentative[]>
}

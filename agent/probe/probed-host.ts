import type { Echo, PingPacket } from '../host/ping.ts'
import type { NeighbourQuery } from '../host/probe-neighbours.ts'
import type { Tentative } from '../host/tentative-addresses.ts'
import type { HostState } from '../model/host-state.ts'
import type { LookupAnswer } from '../plan/lookup-losses.ts'
import type { Lookup } from '../plan/node-packets.ts'

/** The operations with which the probes query a host and send packets from it. */
export type ProbedHost = {
	/** Looks up the kernel's routes for packets. @returns one answer per packet, in order */
	lookUp(lookups: readonly Lookup[], links: HostState['links']): Promise<LookupAnswer[]>
	/** Sends new probes; a neighbour that has not answered after `withinMs` milliseconds is treated as silent. */
	neighboursAnswer(questions: readonly NeighbourQuery[], withinMs: number): Promise<boolean[]>
	/** Returns one echo per packet, in order. */
	echoes(packets: readonly PingPacket[]): Promise<Echo[]>
	nameservers(): string[]
	tentativeAddresses(): Promise<Tentative[]>
}

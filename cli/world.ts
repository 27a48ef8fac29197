import type { KubeClient } from '../runtime/kube/client.ts'
import type { Transport } from '../runtime/kube/transport.ts'

/** Everything a command is given of the world outside, so that a test can give it another. */
export type World = {
	/** Standard output: what was asked for. */
	out: Screen
	/** Standard error: progress, warnings, errors. */
	err: Screen
	env: Readonly<Record<string, string | undefined>>
	/** Milliseconds since 1970. */
	now(): number
	/** A text that was not there before. */
	fresh(): string
	/** Aborted by Ctrl-C. */
	signal: AbortSignal
	connect(flags: ConnectFlags): Promise<Cluster>
}

/** Where lines go. */
export type Screen = {
	write(text: string): void
	isTerminal: boolean
	/** Cells a line and lines, as they are now. */
	size(): { columns: number; rows: number }
}

export type ConnectFlags = { namespace?: string; kubeconfig?: string; context?: string }

/** The cluster that is asked, and the one namespace of MultiNIC in it. */
export type Cluster = {
	client: KubeClient
	/** For what is read as a stream. */
	transport: Transport
	namespace: string
	/** Its address, for people. */
	server: string
	close(): Promise<void>
}

/** How a command ends: 0 fine · 1 the fleet is not as wanted, or the command failed · 2 wrong usage · 130 Ctrl-C. */
export const exitCodes = { fine: 0, notAsWanted: 1, usage: 2, interrupted: 130 } as const

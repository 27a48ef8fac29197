import type { KubeClient, Transport } from '../../runtime/kube/index.ts'

/** Everything outside the program that a command uses, so that a test can replace it. */
export type CliIo = {
	/** Standard output: the requested data. */
	out: Screen
	/** Standard error: progress, warnings, errors. */
	err: Screen
	env: Readonly<Record<string, string | undefined>>
	/** Milliseconds since 1970. */
	now(): number
	/** Returns a unique string. */
	fresh(): string
	/** Aborted by Ctrl-C. */
	signal: AbortSignal
	connect(flags: ConnectFlags): Promise<Cluster>
}

/** An output stream. */
export type Screen = {
	write(text: string): void
	isTerminal: boolean
	/** The current width in cells, and height in lines. */
	size(): { columns: number; rows: number }
}

export type ConnectFlags = { namespace?: string; kubeconfig?: string; context?: string }

/** The cluster that a command accesses, and the namespace of MultiNIC in it. */
export type Cluster = {
	client: KubeClient
	/** For data that is read as a stream. */
	transport: Transport
	namespace: string
	/** Address of the API server, for display. */
	server: string
	close(): Promise<void>
}

/** The exit codes of a command: 0 success · 1 not in the desired state, or the command failed · 2 usage error · 130 Ctrl-C. */
export const exitCodes = { ok: 0, notAsWanted: 1, usage: 2, interrupted: 130 } as const

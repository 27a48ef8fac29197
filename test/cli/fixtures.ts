import type { Condition } from '../../contract/conditions.ts'
import type { NodeConfigStatus } from '../../contract/node-config.ts'
import type { Stored } from '../../runtime/kube/kind.ts'
import { configView, type ConfigView, type NodeConfigObject } from '../../cli/model/node-config-view.ts'
import { run } from '../../cli/program.ts'
import type { Cluster, ConnectFlags, CliIo } from '../../cli/model/io.ts'

/** Fixtures of the CLI tests: a fixed time, node configs in every state, and a world that records the output. */

export const now = Date.parse('2026-03-01T12:00:00Z')

export function ago(seconds: number): string {
	return `${new Date(now - seconds * 1_000).toISOString().slice(0, 19)}Z`
}

type Said = { reason: string; message?: string; state?: NodeConfigStatus['state'] }

export function ready({ reason, message = '', state }: Said): Condition {
	return { type: 'Ready', status: state === 'Configured' ? 'True' : 'False', reason, message, lastTransitionTime: ago(60) }
}

/** Returns a node config of generation 3, created three minutes ago, with this status. */
export function object(
	name: string,
	said?: Said,
	more: Partial<NodeConfigObject> & { status?: NodeConfigStatus } = {},
): Stored<NodeConfigObject> {
	const status = said && { observedGeneration: 3, state: said.state ?? 'Pending', conditions: [ready(said)] }
	return {
		apiVersion: 'multinic.io/v1',
		kind: 'MultiNicNodeConfig',
		spec: { interfaces: [{}, {}], ...more.spec },
		status: { ...status, ...more.status },
		metadata: {
			name,
			namespace: 'multinic-system',
			uid: `uid-${name}`,
			resourceVersion: '7',
			creationTimestamp: ago(180),
			generation: 3,
			...more.metadata,
		} as Stored<NodeConfigObject>['metadata'],
	}
}

export function config(...args: Parameters<typeof object>): ConfigView {
	return configView(object(...args))
}

export const configured: Said = { state: 'Configured', reason: 'AllInterfacesConfigured', message: '2 of 2 interfaces are configured.' }
export const running: Said = { state: 'InProgress', reason: 'RunStarted', message: 'Job multinic-agent-w-g3 configures the node' }
export const waiting: Said = { reason: 'Waiting', message: 'The wave is full.' }
export const failed: Said = { state: 'Failed', reason: 'PartlyFailed', message: 'multinic1: no link has the MAC yet.' }
export const drifted: Said = { state: 'Failed', reason: 'Drifted', message: 'multinic0: mtu is 1500, not 1450.' }
export const rolledBack: Said = {
	state: 'Failed',
	reason: 'RolledBack',
	message: 'The API server could not be reached; everything was rolled back.',
}

export type Told = { code: number; out: string; err: string }

/** Runs one command line against a cluster, without a terminal, at the fixed time. */
export async function command(
	line: string | readonly string[],
	options: Partial<CliIo> & { cluster?: Partial<Cluster> } = {},
): Promise<Told> {
	const { cluster, ...more } = options
	const told = { out: '', err: '' }
	const screen = (name: 'out' | 'err') => ({
		write(text: string) {
			told[name] += text
		},
		isTerminal: false,
		size: () => ({ columns: 200, rows: 50 }),
	})
	let fresh = 0
	const code = await run(typeof line === 'string' ? line.split(' ').filter(Boolean) : line, {
		out: screen('out'),
		err: screen('err'),
		env: {},
		now: () => now,
		fresh: () => `fresh-${++fresh}`,
		signal: new AbortController().signal,
		connect: async (flags: ConnectFlags) => {
			if (!cluster) throw new Error('no cluster is asked in this test')
			return { namespace: flags.namespace ?? 'multinic-system', server: 'https://test', close: async () => {}, ...cluster } as Cluster
		},
		...more,
	})
	return { code, ...told }
}

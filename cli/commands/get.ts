import { Option } from 'commander'
import { type FleetReading, readChosen } from '../read.ts'
import { fleetLines } from '../render/fleet.ts'
import { nodePage } from '../render/node-page.ts'
import { nodeRow, nodesHeader } from '../render/nodes.ts'
import { formatted, isFormat } from '../render/output.ts'
import { table } from '../render/table.ts'
import type { CommandSpec, Session } from '../session.ts'
import { isAsWanted } from '../view.ts'
import { exitCodes } from '../world.ts'
import { outputOption } from './options.ts'
import { watchFleet } from './watch.ts'

export type GetFlags = { output?: 'json' | 'yaml' | 'wide'; watch?: boolean }

export const get: CommandSpec<GetFlags> = {
	name: 'get',
	nodes: 'any',
	about: 'How far the nodes are: all of them, those named, or everything about one',
	options: [outputOption('json', 'yaml', 'wide'), new Option('-w, --watch', 'go on telling of every change')],
	more: 'Ends with 0 when every node shown is as its node config says, else with 1.',
	async act(session, nodes, flags) {
		if (flags.watch) return watchFleet(session, nodes, flags)
		const reading = await readChosen(session, nodes)
		session.print(shown(session, nodes, flags, reading))
		return reading.configs.every(isAsWanted) ? exitCodes.fine : exitCodes.notAsWanted
	},
}

function shown({ colours, world, cluster }: Session, nodes: readonly string[], { output }: GetFlags, reading: FleetReading): string[] {
	const { configs, fleet } = reading
	const view = { fleet, now: world.now(), colours, isWide: output === 'wide' }
	if (isFormat(output)) return [formatted(listOf(reading, nodes), output)]
	const [only] = configs
	if (only && nodes.length === 1 && !view.isWide) return nodePage(only, view)
	const rows = configs.map(config => nodeRow(config, view))
	const none = `no node config in namespace ${cluster.namespace}; another namespace is named by -n`
	const whole = nodes.length === 0 ? fleetLines(fleet, colours) : []
	return [...whole, ...(rows.length > 0 ? table([nodesHeader(view.isWide), ...rows]) : [none])]
}

/** As `kubectl get mnnc -o json` has it, and the rollout beside; one node is told by itself. */
function listOf({ objects, fleet }: FleetReading, nodes: readonly string[]): object {
	const [only] = objects
	if (nodes.length === 1 && only) return only
	if (nodes.length > 0) return { apiVersion: 'v1', kind: 'List', items: objects }
	const { settled, running, paused, rule, fault, line } = fleet
	const rollout = { settled, running, paused, rule, fault, waiting: [...line.keys()] }
	return { apiVersion: 'v1', kind: 'List', items: objects, rollout }
}

import { Option } from 'commander'
import { readFailedWrite } from '../read/failed-write.ts'
import { readElsewhere, readNamespaceState } from '../read/namespace.ts'
import { type FleetReading, readChosen } from '../read/fleet.ts'
import { fleetLines } from '../render/fleet.ts'
import { deletedNamespaceWords, noneLines } from '../render/missing.ts'
import { type FailedWrite, nodePage } from '../render/node-page.ts'
import { nodeRow, nodesHeader } from '../render/node-table.ts'
import { formatted, isFormat } from '../render/output.ts'
import { table } from '../render/columns.ts'
import type { CommandSpec, Session } from '../read/session.ts'
import { isAsWanted } from '../model/node-config-view.ts'
import { exitCodes } from '../model/io.ts'
import { type GetFlags, outputOption } from './options.ts'
import { warnIfLeaderless } from './diagnostics.ts'
import { watchFleet } from './watch.ts'

export const get: CommandSpec<GetFlags> = {
	name: 'get',
	nodes: 'any',
	about: 'Show the status of all nodes, the named nodes, or one node in detail',
	options: [outputOption('json', 'yaml', 'wide'), new Option('-w, --watch', 'watch for changes')],
	more: 'Exits 0 if every node shown matches its node config, otherwise 1.',
	async act(session, nodes, flags) {
		if (flags.watch) return watchFleet(session, nodes, flags)
		const reading = await readChosen(session, nodes)
		const { deletedWith } = reading.fleet
		if (deletedWith !== undefined) session.warn(`warning: ${deletedNamespaceWords(deletedWith)}`)
		session.print(await lines(session, nodes, flags, reading))
		if (reading.configs.length > 0 && deletedWith === undefined) await warnIfLeaderless(session)
		return reading.configs.every(isAsWanted) ? exitCodes.ok : exitCodes.notAsWanted
	},
}

async function lines(session: Session, nodes: readonly string[], flags: GetFlags, reading: FleetReading): Promise<string[]> {
	if (isFormat(flags.output)) return shown(session, nodes, flags, reading)
	const [only] = reading.configs
	if (!only) return none(session, reading)
	const hasPage = nodes.length === 1 && flags.output !== 'wide'
	return shown(session, nodes, flags, { ...reading, failedWrite: hasPage ? await readFailedWrite(session, only) : undefined })
}

async function none(session: Session, { fleet }: FleetReading): Promise<string[]> {
	const [state, elsewhere] = await Promise.all([readNamespaceState(session), readElsewhere(session)])
	return [...fleetLines(fleet, session.colours), ...noneLines(session.cluster.namespace, state, elsewhere)]
}

function shown(
	{ colours, io }: Session,
	nodes: readonly string[],
	{ output }: GetFlags,
	reading: FleetReading & { failedWrite?: FailedWrite | undefined },
): string[] {
	const { configs, fleet, failedWrite } = reading
	const view = { fleet, failedWrite, now: io.now(), colours, isWide: output === 'wide' }
	if (isFormat(output)) return [formatted(listOf(reading, nodes), output)]
	const [only] = configs
	if (only && nodes.length === 1 && !view.isWide) return nodePage(only, view)
	const rows = configs.map(config => nodeRow(config, view))
	const whole = nodes.length === 0 ? fleetLines(fleet, colours) : []
	return [...whole, ...table([nodesHeader(view.isWide), ...rows])]
}

/** Returns a list like `kubectl get mnnc -o json`, with the rollout if no node is named; a single named node is returned as an object. */
function listOf({ objects, fleet }: FleetReading, nodes: readonly string[]): object {
	const [only] = objects
	if (nodes.length === 1 && only) return only
	if (nodes.length > 0) return { apiVersion: 'v1', kind: 'List', items: objects }
	const { settled, running, paused, stoppers, rule, fault, line } = fleet
	const stoppedBy = stoppers.map(({ name, reason }) => ({ name, reason }))
	const rollout = { settled, running, paused, stoppedBy, rule, fault, waiting: [...line.keys()] }
	return { apiVersion: 'v1', kind: 'List', items: objects, rollout }
}

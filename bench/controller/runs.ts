import { startFakeKubelet } from '../../lab/cluster/fake-kubelet.ts'
import { createLog } from '../../runtime/log.ts'
import { type Figure, figure, type Log, median, middlePair } from '../figure.ts'
import { type Cluster, createConfig, createNode, each, namespace } from './cluster.ts'
import { measureFloor } from './floor.ts'
import { startController } from './process.ts'
import { watchStates } from './states.ts'

/** The result of one round: rates in nodes per second, times in seconds, memory in MiB. */
export type Round = { rate: number; floor: number; dispatch: number; settle: number; writes: number; memory: number }

/**
 * Measures one round: node configs change while no controller runs, then the controller processes them and reads their results. The
 * baseline is measured before and after.
 */
export async function measureRound(
	{ api, client }: Cluster,
	script: string,
	names: (prefix: string) => string[],
	log: Log,
): Promise<Round> {
	const before = await measureFloor(client, names('before'))
	const nodes = names('node')
	await each(nodes, name => createNode(client, name))
	await each(nodes, (name, index) => createConfig(client, name, index))
	const states = await watchStates(client)
	const controller = await startController(api, script)
	const started = await states.all('InProgress', nodes)
	const dispatch = (started.last - started.first) / 1_000
	const reported = performance.now()
	const kubelet = startFakeKubelet({ client, namespace, log: createLog('kubelet', { level: 'error' }) })
	const settled = await states.all('Configured', nodes)
	const writes = (await controller.atRest()) / nodes.length
	const memory = controller.peakMiB()
	states.stop()
	await kubelet.stop()
	await controller.kill('SIGTERM')
	const floor = (before + (await measureFloor(client, names('after')))) / 2
	const round = { rate: (nodes.length - 1) / dispatch, floor, dispatch, settle: (settled.last - reported) / 1_000, writes, memory }
	log(`dispatch ${round.rate.toFixed(0)} of ${floor.toFixed(0)} nodes/s, settled in ${round.settle.toFixed(1)} s, ${memory.toFixed(0)} MiB`)
	return round
}

/** Judges the median of each figure, because a machine that slows down for a minute makes one round slow. */
export function judgeRounds(rounds: readonly Round[]): Figure[] {
	const middle = (of: (round: Round) => number) => median(rounds.map(of))
	const dispatch = middlePair(rounds.map(({ rate, floor }) => ({ value: rate, floor })))
	return [
		figure({ name: 'dispatch', ...dispatch, unit: 'nodes/s', atLeastFloors: 0.7 }),
		figure({ name: 'dispatch of 1,000', value: middle(round => round.dispatch), unit: 's', atMost: 17 }),
		figure({ name: 'settle 1,000', value: middle(({ settle }) => settle), unit: 's', atMost: 20 }),
		figure({ name: 'writes per run', value: middle(({ writes }) => writes), unit: 'requests', atMost: 6 }),
		figure({ name: 'memory', value: middle(({ memory }) => memory), unit: 'MiB', atMost: 150 }),
	]
}

import { ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP, rolloutOf } from '../../contract/rollout.ts'
import { sleep } from '../../runtime/clock.ts'
import { ConfigMap, startReflector } from '../../runtime/kube/index.ts'
import { createLog, type Log } from '../../runtime/log.ts'
import { fleetOf, type Rollout } from '../model/fleet.ts'
import { NodeConfig } from '../model/kinds.ts'
import { chosen, type FleetReading, readControlPlane, readFleet, readSettings, readStopRecord } from '../read/fleet.ts'
import { deletedNamespaceWords } from '../render/missing.ts'
import type { Session } from '../read/session.ts'
import { type StopRecord, stopRecordIn } from '../model/stoppers.ts'
import { configView } from '../model/node-config-view.ts'
import { exitCodes } from '../model/io.ts'
import type { GetFlags } from './options.ts'
import { rendererFor } from './watch-output.ts'

/** How long changes are collected before they are shown (milliseconds), so that output and work stay limited even for 1,000 nodes. */
const gatherMs = 250
/** Interval at which a terminal is redrawn only to update the ages, in milliseconds. */
const ageMs = 1_000

/** Shows every change until Ctrl-C. The first read fails with the same errors as `get`; later errors are retried. */
export async function watchFleet(session: Session, nodes: readonly string[], flags: GetFlags): Promise<number> {
	const { signal, io } = session
	const { fleet } = await chosen(session, await readFleet(session), nodes)
	if (fleet.deletedWith !== undefined) session.warn(`warning: ${deletedNamespaceWords(fleet.deletedWith)}`)
	const reads = [readSettings(session), readStopRecord(session), readControlPlane(session)] as const
	const [rollout, record, controlPlane] = await Promise.all(reads)
	const sight = startSight(session, { rollout, record, controlPlane })
	const paint = rendererFor(session, nodes, flags)
	let paintedAt = 0
	while (!signal.aborted) {
		const isDue = sight.hasChanged() || (io.out.isTerminal && io.now() - paintedAt >= ageMs)
		if (isDue && sight.isSynced()) {
			const changed = sight.take()
			paint(sight.reading(nodes), changed, sight.trouble())
			paintedAt = io.now()
		}
		await sleep(gatherMs, signal)
	}
	await sight.done
	return exitCodes.interrupted
}

type Known = { rollout: Rollout; record: StopRecord | undefined; controlPlane: ReadonlySet<string> }

/** Watches node configs and settings, and keeps the latest state. */
function startSight(session: Session, known: Known) {
	const { cluster, signal } = session
	let { rollout, record } = known
	let trouble = ''
	let changed = new Set<string>()
	const onTrouble = (words: string) => {
		trouble = words
		changed.add('')
	}
	const common = { client: cluster.client, namespace: cluster.namespace, log: troubleLog(onTrouble), signal }
	const configs = startReflector({
		...common,
		kind: NodeConfig,
		project: object => ({ object, view: configView(object) }),
		onChange: (_, now, before) => {
			trouble = ''
			changed.add((now ?? before)?.view.name ?? '')
		},
	})
	const data: Record<string, ConfigMap['data']> = {}
	const watched = [ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP].map(name =>
		startReflector({
			...common,
			kind: ConfigMap,
			fieldSelector: `metadata.name=${name}`,
			onChange: (_, now) => {
				data[name] = now?.data
				rollout = rolloutOf(data[ROLLOUT_CONFIG_MAP], data[ROLLOUT_PAUSE])
				record = stopRecordIn(data[ROLLOUT_STOP])
				changed.add('')
			},
			// without permission to read the settings, they are neither watched nor shown
			...(rollout === undefined && { signal: AbortSignal.abort() }),
		}),
	)
	return {
		isSynced: configs.isSynced,
		hasChanged: () => changed.size > 0,
		trouble: () => trouble,
		take: () => {
			const taken = changed
			changed = new Set()
			return taken
		},
		reading: (nodes: readonly string[]) => readingOf([...configs.store.values()], nodes, { ...known, rollout, record }),
		done: Promise.all([configs, ...watched].map(({ done }) => done)),
	}
}

type Seen = { object: FleetReading['objects'][number]; view: FleetReading['configs'][number] }

/** Returns the current state. A named node that has been deleted in the meantime is not an error here. */
function readingOf(all: readonly Seen[], nodes: readonly string[], { rollout, record, controlPlane }: Known): FleetReading {
	const sorted = all.toSorted((a, b) => (a.view.name < b.view.name ? -1 : 1))
	const fleet = fleetOf(
		sorted.map(({ view }) => view),
		controlPlane,
		rollout,
		record,
	)
	const shown = nodes.length === 0 ? sorted : sorted.filter(({ view }) => nodes.includes(view.name))
	return { fleet, objects: shown.map(({ object }) => object), configs: shown.map(({ view }) => view) }
}

/** Turns log lines of the reflectors into messages for users. */
function troubleLog(tell: (words: string) => void): Log {
	const write = (line: string) => {
		const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } }
		tell(`the output may be stale: ${[msg, err?.message].filter(Boolean).join(': ')}`)
	}
	return createLog('kubectl-multinic', { level: 'warn', to: { write } })
}

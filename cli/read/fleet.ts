import { CONTROL_PLANE_LABELS, ROLLOUT_CONFIG_MAP, ROLLOUT_PAUSE, ROLLOUT_STOP, rolloutOf } from '../../contract/rollout.ts'
import type { Failure } from '../../runtime/errors.ts'
import { ConfigMap, isKubeFailure, Node, type Stored } from '../../runtime/kube/index.ts'
import { mapConcurrently } from '../model/concurrent.ts'
import { type CliCode, failure } from '../model/failures.ts'
import { type Fleet, fleetOf, type Rollout } from '../model/fleet.ts'
import { NodeConfig } from '../model/kinds.ts'
import { readElsewhere, readNamespaceState } from './namespace.ts'
import type { Reading } from './reading.ts'
import { noSuchNodeWords } from '../render/missing.ts'
import { type StopRecord, stopRecordIn } from '../model/stoppers.ts'
import { unlessForbidden } from './unless-forbidden.ts'
import { type ConfigView, configView, type NodeConfigObject } from '../model/node-config-view.ts'

/** Reads from the cluster, without writing. */

/** Node configs, and the whole fleet. If only some node configs were read, because none is queued, only the pause of `fleet` is valid. */
export type FleetReading = { objects: Stored<NodeConfigObject>[]; configs: ConfigView[]; fleet: Fleet }

/** Reads the whole fleet, and the control-plane Nodes if a node is queued. */
export async function readFleet(reading: Reading): Promise<FleetReading> {
	const [objects, rollout, record] = await Promise.all([readObjects(reading), readSettings(reading), readStopRecord(reading)])
	const configs = objects.map(configView)
	const fleet = fleetOf(configs, new Set(), rollout, record)
	const inOrder = fleet.line.size === 0 ? fleet : fleetOf(configs, await readControlPlane(reading), rollout, record)
	return { objects, configs, fleet: await withNamespace(reading, configs, inOrder) }
}

/**
 * Reads these nodes, or all nodes if none is named. The other nodes are read only if one of these is queued, for its position.
 *
 * @throws Failure NO_NODE for the first name without a node config
 */
export async function readChosen(reading: Reading, nodes: readonly string[]): Promise<FleetReading> {
	if (nodes.length === 0) return readFleet(reading)
	const reads = [mapConcurrently(nodes, name => readNode(reading, name)), readSettings(reading), readStopRecord(reading)] as const
	const [objects, rollout, record] = await Promise.all(reads)
	const configs = objects.map(configView)
	const fleet = fleetOf(configs, new Set(), rollout, record)
	if (fleet.line.size > 0) return chosen(reading, await readFleet(reading), nodes)
	return { objects, configs, fleet: await withNamespace(reading, configs, fleet) }
}

/** Sets `deletedWith` if a node config is being deleted together with its whole namespace, so that no run can start. */
async function withNamespace(reading: Reading, configs: readonly ConfigView[], fleet: Fleet): Promise<Fleet> {
	const isDeleted = configs.some(({ deleting }) => deleting) && (await readNamespaceState(reading)) === 'deleting'
	return isDeleted ? { ...fleet, deletedWith: reading.cluster.namespace } : fleet
}

/** @throws Failure NO_NODE for the first name without a node config */
export async function chosen(reading: Reading, { objects, configs, fleet }: FleetReading, nodes: readonly string[]): Promise<FleetReading> {
	const names = configs.map(({ name }) => name)
	const missing = nodes.find(node => !names.includes(node))
	if (missing !== undefined) throw await noSuchNode(reading, missing, names)
	const isChosen = (name: string) => nodes.length === 0 || nodes.includes(name)
	return {
		fleet,
		objects: objects.filter(({ metadata }) => isChosen(metadata.name)),
		configs: configs.filter(({ name }) => isChosen(name)),
	}
}

/** Reads every node config, without managedFields. */
export async function readObjects({ cluster, signal, progress }: Reading): Promise<Stored<NodeConfigObject>[]> {
	const { client, namespace, server } = cluster
	const objects: Stored<NodeConfigObject>[] = []
	const pages = async () => {
		for await (const { items } of client.pages(NodeConfig, { namespace, signal })) for (const item of items) objects.push(lean(item))
		return objects
	}
	return progress(() => `reading node configs from ${server}, ${objects.length} so far`, pages())
}

/**
 * Reads one node config.
 *
 * @throws Failure NO_NODE with similar names
 */
export async function readNode(reading: Reading, name: string): Promise<Stored<NodeConfigObject>> {
	const { cluster, signal, progress } = reading
	const { client, namespace, server } = cluster
	const found = await progress(`reading node config ${name} from ${server}`, client.find(NodeConfig, { namespace, name }, { signal }))
	if (found) return lean(found)
	throw await noSuchNode(reading, name, await namesOf(reading))
}

/** Returns the error for a name without a node config. */
async function noSuchNode(reading: Reading, name: string, names: readonly string[]): Promise<Failure<CliCode>> {
	return failure('NO_NODE', noSuchNodeWords(name, reading.cluster.namespace, names, await readElsewhere(reading, name)))
}

/** Returns all names, to suggest similar ones; empty if the user may read a single node config but not list them. */
async function namesOf(reading: Reading): Promise<string[]> {
	try {
		return (await readObjects(reading)).map(({ metadata }) => metadata.name)
	} catch (error) {
		if (isKubeFailure(error, 'FORBIDDEN')) return []
		throw error
	}
}

/** Reads the rollout settings and the pause; undefined if the user may not read them, the defaults if there are no settings. */
export async function readSettings({ cluster, signal, progress }: Reading): Promise<Rollout> {
	const { client, namespace, server } = cluster
	const find = (name: string) =>
		progress(`reading ConfigMap ${name} from ${server}`, client.find(ConfigMap, { namespace, name }, { signal }))
	try {
		const [settings, pause] = await Promise.all([find(ROLLOUT_CONFIG_MAP), find(ROLLOUT_PAUSE)])
		return rolloutOf(settings?.data, pause?.data)
	} catch (error) {
		if (isKubeFailure(error, 'FORBIDDEN')) return undefined
		throw error
	}
}

/** Reads the controller's record of the nodes that stop the rollout; undefined if there is no record, or the user may not read it. */
export async function readStopRecord({ cluster, signal, progress }: Reading): Promise<StopRecord | undefined> {
	const { client, namespace, server } = cluster
	const asked = unlessForbidden(client.find(ConfigMap, { namespace, name: ROLLOUT_STOP }, { signal }))
	const answer = await progress(`reading ConfigMap ${ROLLOUT_STOP} from ${server}`, asked)
	return stopRecordIn(answer?.found?.data)
}

/** Reads the names of the control-plane Nodes, for queue positions; empty if the user may not list Nodes: positions may then be wrong. */
export async function readControlPlane({ cluster, signal, progress }: Reading): Promise<Set<string>> {
	const { client, server } = cluster
	const lists = CONTROL_PLANE_LABELS.map(labelSelector => client.list(Node, { labelSelector, signal }))
	try {
		const pages = await progress(`reading control-plane Nodes from ${server}`, Promise.all(lists))
		return new Set(pages.flatMap(({ items }) => items.map(({ metadata }) => metadata.name)))
	} catch (error) {
		if (isKubeFailure(error, 'FORBIDDEN')) return new Set()
		throw error
	}
}

function lean(object: Stored<NodeConfigObject>): Stored<NodeConfigObject> {
	delete (object.metadata as { managedFields?: unknown }).managedFields
	return object
}

import { LABEL_MODE } from '../../contract/names.ts'
import { Failure } from '../../runtime/errors.ts'
import { ConfigMap, isKubeFailure, Job, type Kind, type KubeClient, type KubeObject, type Stored } from '../../runtime/kube/index.ts'
import type { Caches } from '../cache/caches.ts'
import type { NewRun } from '../model/decision.ts'
import { type AgentSettings, runConfigMap, runInput, runJob } from './job.ts'
import type { Snapshot } from '../model/snapshot.ts'

/** Maximum number of consecutive names in use that are skipped; after that, a person has to clean up. */
const takenNamesMax = 20

type LaunchDeps = { client: KubeClient; caches: Caches; agent: AgentSettings }

/**
 * Creates the ConfigMap and the Job of a run, or finds existing ones. An existing object belongs to the run only if uid, generation,
 * attempt and mode are the same; otherwise the name of the next attempt is used.
 *
 * @throws Failure NAME_TAKEN if twenty consecutive names are in use
 */
export async function createRun(tools: LaunchDeps, snapshot: Snapshot, wanted: NewRun): Promise<{ name: string }> {
	for (let attempt = wanted.attempt; attempt < wanted.attempt + takenNamesMax; attempt++) {
		const made = await createBoth(tools, snapshot, { ...wanted, attempt })
		if (made) return made
	}
	const { name } = snapshot.config
	throw new Failure('NAME_TAKEN', `twenty names of runs for ${name} are used by objects that MultiNIC did not create`, { retry: true })
}

async function createBoth({ client, caches, agent }: LaunchDeps, snapshot: Snapshot, run: NewRun): Promise<{ name: string } | undefined> {
	const { config, spec, node } = snapshot
	const interfaces = 'value' in spec ? spec.value.interfaces : []
	const wanted = runConfigMap(config, run, runInput(config, run, { interfaces, node, agent }), node)
	const configMap = await createOrFind(client, ConfigMap, wanted, found => found.metadata.labels?.[LABEL_MODE] === run.mode)
	if (!configMap) return undefined
	const owner = { name: configMap.metadata.name, uid: configMap.metadata.uid }
	const owned = (found: Stored<Job>) => found.metadata.ownerReferences?.some(({ uid }) => uid === owner.uid) === true
	const job = await createOrFind(client, Job, runJob(config, run, owner, agent), owned)
	if (!job) {
		await client.delete(ConfigMap, { name: owner.name, namespace: config.namespace }, { uid: owner.uid })
		return undefined
	}
	caches.observeWrite.configMap(configMap)
	caches.observeWrite.job(job)
	return { name: owner.name }
}

/** @returns the object, or undefined if the name belongs to an object of another run or client, or to one that is being deleted */
async function createOrFind<T extends KubeObject>(
	client: KubeClient,
	kind: Kind<T>,
	object: T,
	isOurs: (found: Stored<T>) => boolean,
): Promise<Stored<T> | undefined> {
	try {
		return await client.create(kind, object)
	} catch (error) {
		if (!isKubeFailure(error, 'ALREADY_EXISTS')) throw error
	}
	const { name, namespace = '', labels = {} } = object.metadata
	const found = await client.find(kind, { name, namespace })
	const same = Object.entries(labels).every(([key, value]) => found?.metadata.labels?.[key] === value)
	return found && same && !found.metadata.deletionTimestamp && isOurs(found) ? found : undefined
}

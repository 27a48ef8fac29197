import * as z from 'zod'
import { FINALIZER, RUN_APP } from '../../contract/names.ts'
import { sleep } from '../../runtime/clock.ts'
import { ObjectName, readEnv, Whole } from '../../runtime/env.ts'
import { Failure } from '../../runtime/errors.ts'
import { Deployment, endOf, isKubeFailure, Job, KubeClient, loadCredentials, type ObjectMeta, Pod } from '../../runtime/kube/index.ts'
import type { Log } from '../../runtime/log.ts'
import { type Context, runProcess } from '../../runtime/process.ts'
import { NodeConfig } from '../model/node-config-kind.ts'
import { proveUninstall } from './proof.ts'

/** The environment of the chart's pre-delete hook, which runs before `helm uninstall` deletes the controller. */
const UninstallEnv = z.object({
	NAMESPACE: ObjectName.max(63),
	ON_UNINSTALL: z.enum(['Keep', 'Restore']).describe('Keep: leave the nodes unchanged; Restore: restore every node first'),
	CONTROLLER: ObjectName.describe('Deployment of the controller'),
	JOB: ObjectName.describe('The Job that this hook runs in'),
	RELEASE_NAME: ObjectName.max(53).describe('The release of helm'),
	RELEASE_REVISION: Whole.pipe(z.int().min(1)).describe('The revision of the release that this hook was rendered for'),
	POLL_MS: Whole.pipe(z.int().min(10)).prefault('1000'),
})

export const readSettings = (env: Context['env']) => readEnv(UninstallEnv, env)

/** The controller that the hook stops, its namespace, and the poll interval (milliseconds). */
export type Uninstall = { namespace: string; controller: string; pollMs: number; signal: AbortSignal; log: Log }

/**
 * Runs the hook. Changes nothing without proof that this is an uninstall.
 *
 * @throws Failure NOT_UNINSTALLING, and the failures of `keep` and `restore`
 */
export async function uninstall(
	client: KubeClient,
	settings: ReturnType<typeof readSettings>,
	{ signal, log }: Pick<Context, 'signal' | 'log'>,
): Promise<void> {
	const { NAMESPACE: namespace, CONTROLLER: controller, JOB: job, POLL_MS: pollMs } = settings
	const release = { name: settings.RELEASE_NAME, revision: settings.RELEASE_REVISION }
	const proof = await proveUninstall(client, { namespace, controller, job }, release)
	log.info({ release, proof, onUninstall: settings.ON_UNINSTALL }, 'uninstalling')
	const act = settings.ON_UNINSTALL === 'Keep' ? keep : restore
	await act(client, { namespace, controller, pollMs, signal, log })
}

/**
 * Removes the finalizer from every node config and leaves the hosts unchanged. The controller is stopped first because it would add the
 * finalizers again. The hook waits for runs in progress because they lose their permission to report when the Helm release is deleted.
 *
 * @throws Failure STOPPED if the signal is aborted first; the message names what the hook was waiting for
 */
export async function keep(client: KubeClient, where: Uninstall): Promise<void> {
	const { namespace, log } = where
	await stopController(client, where)
	await untilNone('runs in progress', where, async () => {
		const { items } = await client.list(Job, { namespace, labelSelector: `app.kubernetes.io/name=${RUN_APP}` })
		return items.filter(job => endOf(job) === undefined).map(job => job.metadata.name)
	})
	await untilNone('node configs to release', where, async () => {
		const { items } = await client.list(NodeConfig, { namespace })
		const owned = items.filter(({ metadata }) => metadata.finalizers?.includes(FINALIZER))
		for (const { metadata } of owned) await release(client, metadata, log)
		return owned.map(item => item.metadata.name)
	})
}

/** Removes the finalizer from a node config. If another client changes it concurrently, the next poll tries again. */
async function release(
	client: KubeClient,
	{ name, namespace = '', finalizers = [], resourceVersion }: ObjectMeta,
	log: Log,
): Promise<void> {
	const rest = finalizers.filter(finalizer => finalizer !== FINALIZER)
	try {
		await client.patch(NodeConfig, { name, namespace }, { metadata: { finalizers: rest, resourceVersion } })
		log.info({ nodeConfig: name }, 'released, its node is unchanged')
	} catch (error) {
		if (!isKubeFailure(error, 'CONFLICT', 'NOT_FOUND')) throw error
		log.info({ nodeConfig: name, err: error }, 'changed concurrently, retrying')
	}
}

/**
 * Deletes every node config and waits until the controller, which must still be running, has restored their nodes.
 *
 * @throws Failure STOPPED if the signal is aborted first; the message names the node configs that are left
 */
export async function restore(client: KubeClient, where: Uninstall): Promise<void> {
	const { namespace, log } = where
	await untilNone('node configs', where, async () => {
		const { items } = await client.list(NodeConfig, { namespace })
		for (const { metadata } of items) {
			if (metadata.deletionTimestamp) continue
			await client.delete(NodeConfig, { name: metadata.name, namespace })
			log.info({ nodeConfig: metadata.name }, 'deleted, its node is being restored')
		}
		return items.map(item => item.metadata.name)
	})
}

async function stopController(client: KubeClient, where: Uninstall): Promise<void> {
	const { namespace, controller, log } = where
	try {
		await client.patch(Deployment, { name: controller, namespace }, { spec: { replicas: 0 } })
	} catch (error) {
		if (!isKubeFailure(error, 'NOT_FOUND')) throw error
		log.info({ deployment: controller }, 'no controller to stop')
	}
	// a kubelet may set this label on a pod that it creates, but may not set a service account
	const ours = { labelSelector: `app.kubernetes.io/name=${controller}`, fieldSelector: `spec.serviceAccountName=${controller}` }
	await untilNone('pods of the controller', where, async () => {
		const { items } = await client.list(Pod, { namespace, ...ours })
		return items.filter(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed').map(pod => pod.metadata.name)
	})
}

/** Calls `poll` until it returns an empty list. */
async function untilNone(what: string, { pollMs, signal, log }: Uninstall, poll: () => Promise<string[]>): Promise<void> {
	let before: readonly string[] = []
	for (;;) {
		const left = await poll().catch(error => orGivenUp(error, what, before))
		if (left.length === 0) return
		if (left.length !== before.length) log.info({ what, left: left.length, first: left.slice(0, 5) }, 'waiting')
		before = left
		if (await sleep(pollMs, signal)) continue
		throw new Failure('STOPPED', `stopped while waiting for ${what}; ${leftText(left)}`)
	}
}

/**
 * When Helm times out, it immediately deletes the service account and the Role of this hook. If a request is denied after an earlier one
 * succeeded, the permission was deleted; it is not missing from the chart.
 */
function orGivenUp(error: unknown, what: string, left: readonly string[]): never {
	if (left.length === 0 || !isKubeFailure(error, 'FORBIDDEN', 'UNAUTHORIZED')) throw error
	const reason = 'helm timed out (--timeout) and removed the permissions of this hook. Uninstall again when that is resolved'
	throw new Failure('STOPPED', `stopped while waiting for ${what}; ${leftText(left)}. ${reason}`, { cause: error })
}

function leftText(left: readonly string[]): string {
	return `${left.length} left: ${left.slice(0, 10).join(', ')}`
}

if (import.meta.main) {
	const readers = { settings: readSettings, credentials: (env: Context['env']) => loadCredentials({}, env) }
	await runProcess('uninstall', readers, async ({ settings, credentials, ...context }) => {
		const client = new KubeClient(credentials, { fieldManager: 'multinic-uninstall' })
		await uninstall(client, settings, context)
		await client.close()
	})
}

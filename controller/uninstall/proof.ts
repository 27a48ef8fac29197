import { GROUP } from '../../contract/names.ts'
import { Failure } from '../../runtime/errors.ts'
import { Deployment, Job, type KubeClient, type ObjectMeta, Secret } from '../../runtime/kube/index.ts'

/** The Helm release for which the chart was rendered. A rollback restores the hooks of an older revision, including its revision number. */
export type Release = { name: string; revision: number }

/** The namespace of the release, the Deployment of its controller, and the Job of this hook. */
export type Where = { namespace: string; controller: string; job: string }

/** The value of the label `status` on the Secret of a release during an uninstall. */
const UNINSTALLING = 'uninstalling'

/** A person sets this annotation to `confirmed` on the controller's Deployment if no Helm Secret records the uninstall. */
const ANNOTATION_UNINSTALL = `${GROUP}/uninstall`

/** Maximum time between Helm's write of the Secret and the creation of the Job (milliseconds). An older write was for another Job. */
const FRESH_MS = 5 * 60_000

/** How many revisions newer than its hooks a release may be; the chart's Role names the Secrets of all these revisions. */
const LATER_REVISIONS = 100

/**
 * Proves that this is an uninstall: Helm records it in the Secret of the release before it creates a hook, or a person has confirmed it. If
 * the manifests were rendered and applied in another way (kubectl, Argo CD, Flux), they also contain the hook, which must then change
 * nothing.
 *
 * @returns a description of the proof
 * @throws Failure NOT_UNINSTALLING with what to do
 */
export async function proveUninstall(client: KubeClient, where: Where, release: Release): Promise<string> {
	const newest = await newestSecret(client, where, release)
	const job = await client.find(Job, { name: where.job, namespace: where.namespace })
	const isMeant = newest !== undefined && job !== undefined && isWrittenFor(newest.metadata, job.metadata)
	if (isMeant && statusOf(newest) === UNINSTALLING) return `Secret ${newest.metadata.name} has status ${UNINSTALLING}`
	const deployment = await client.find(Deployment, { name: where.controller, namespace: where.namespace })
	if (deployment?.metadata.annotations?.[ANNOTATION_UNINSTALL] === 'confirmed')
		return `Deployment ${where.controller} has annotation ${ANNOTATION_UNINSTALL}: confirmed`
	throw new Failure('NOT_UNINSTALLING', advice(where, release, newest))
}

/**
 * Returns the Secret of the newest revision: an uninstall that failed and was rolled back leaves an older Secret with status
 * `uninstalling`.
 */
async function newestSecret(client: KubeClient, { namespace }: Where, { name, revision }: Release): Promise<Secret | undefined> {
	const revisions = Array.from({ length: LATER_REVISIONS + 1 }, (_, later) => revision + later)
	const secrets = await Promise.all(revisions.map(one => client.find(Secret, { name: secretName(name, one), namespace })))
	return secrets.findLast(secret => secret !== undefined)
}

/**
 * Whether Helm wrote the Secret to create this Job. After a failed uninstall, the status remains `uninstalling`, and another client may
 * then apply the same manifests. Both times are from the API server.
 */
export function isWrittenFor({ managedFields = [] }: ObjectMeta, { creationTimestamp = '' }: ObjectMeta): boolean {
	const written = Math.max(...managedFields.map(({ time = '' }) => Date.parse(time) || 0), 0)
	return Date.parse(creationTimestamp) - written <= FRESH_MS
}

/** @see https://helm.sh/docs/topics/advanced/#storage-backends */
function secretName(release: string, revision: number): string {
	return `sh.helm.release.v1.${release}.v${revision}`
}

function statusOf(secret: Secret | undefined): string {
	return secret?.metadata.labels?.status ?? ''
}

function advice({ namespace, controller }: Where, { name, revision }: Release, newest: Secret | undefined): string {
	const since = statusOf(newest) === UNINSTALLING ? ', but from before this Job was created' : ''
	const found = newest
		? `Secret ${newest.metadata.name} has status ${statusOf(newest) || 'unknown'}${since}`
		: `namespace ${namespace} has no Secret ${secretName(name, revision)} to v${revision + LATER_REVISIONS}`
	return (
		`helm is not uninstalling release ${name}: ${found}. Nothing was changed. If these manifests were applied without helm, delete this Job. ` +
		`If this is an uninstall, and helm stores the release elsewhere or another program removes it, confirm that and uninstall again: ` +
		`kubectl annotate deployment ${controller} -n ${namespace} ${ANNOTATION_UNINSTALL}=confirmed`
	)
}

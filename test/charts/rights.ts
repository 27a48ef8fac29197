import { until } from '../../lab/base/daemon.ts'
import type { KubeClient } from '../../runtime/kube/client.ts'

/** One rule of a Role or a ClusterRole. */
export type Rule = { apiGroups: string[]; resources: string[]; verbs: string[]; resourceNames?: string[] }

/**
 * Waits until a ServiceAccount has the permissions of these rules: the API server reads Roles and bindings from a cache, so they take
 * effect a moment after they are written.
 *
 * @param admin may create SubjectAccessReviews
 * @param namespace of the objects in the rules and of the account; nodes and CRDs have none, and are allowed by a ClusterRole
 */
export async function waitForRights(admin: KubeClient, namespace: string, account: string, rules: readonly Rule[]): Promise<void> {
	const user = `system:serviceaccount:${namespace}:${account}`
	for (const attributes of rules.flatMap(attributesOf))
		await until(`${user} may ${attributes.verb} ${attributes.resource}`, () => isAllowed(admin, user, { namespace, ...attributes }))
}

function attributesOf({ apiGroups, resources, verbs, resourceNames = [] }: Rule) {
	const named = (resource: string) => {
		const [plural = '', subresource = ''] = resource.split('/')
		return { group: apiGroups[0] ?? '', resource: plural, subresource, name: resourceNames[0] ?? '' }
	}
	return resources.flatMap(resource => verbs.map(verb => ({ verb, ...named(resource) })))
}

/** @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
async function isAllowed(admin: KubeClient, user: string, resourceAttributes: object): Promise<boolean> {
	const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user, resourceAttributes } }
	const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews'
	return ((await admin.raw({ method: 'POST', path, body })) as { status: { allowed: boolean } }).status.allowed
}

import type { KubeClient } from '../../runtime/kube/index.ts'

/** The account of a token, and its lifetime. */
export type AccountToken = {
	namespace: string
	account: string
	/** The token is bound to this pod, as a mounted token is. */
	pod?: { name: string; uid: string } | undefined
	/** Seconds. Default: a day. */
	seconds?: number
}

/**
 * Signs in as a ServiceAccount.
 *
 * @param client of a user who may create tokens
 * @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
 */
export async function requestToken(client: KubeClient, { namespace, account, pod, seconds = 86_400 }: AccountToken): Promise<string> {
	const boundObjectRef = pod && { apiVersion: 'v1', kind: 'Pod', ...pod }
	const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
	const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: seconds, boundObjectRef } }
	const answer = (await client.raw({ method: 'POST', path, body })) as { status: { token: string } }
	return answer.status.token
}

import type { KubeClient } from '../../runtime/kube/index.ts'

/** The ServiceAccount to request a token for, and the lifetime of that token. */
export type AccountToken = {
	namespace: string
	account: string
	/** Binds the token to this pod, like a token that is mounted into it. */
	pod?: { name: string; uid: string } | undefined
	/** Lifetime in seconds. Default: one day. */
	seconds?: number
}

/**
 * Requests a token of a ServiceAccount.
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

import { Failure } from '../../runtime/errors.ts'
import { loadCredentials, loadInlineCredentials } from '../../runtime/kube/index.ts'
import type { Target } from './target.ts'

/**
 * Loads the credentials of a target.
 *
 * @throws Failure CONFIG_INVALID or SIGN_IN_FAILED with the file or the Secret and the reason, never a secret
 */
export async function credentialsOf({ access, source }: Target, env: Readonly<Record<string, string | undefined>>) {
	if (access.from === 'nowhere') throw new Failure('CONFIG_INVALID', `${source}: ${access.fault}`)
	if (access.from === 'inline') return loadInlineCredentials(access.kubeconfig, source, env)
	const { kubeconfig, context } = access
	return loadCredentials({ ...(kubeconfig && { kubeconfig }), ...(context && { context }) }, env)
}

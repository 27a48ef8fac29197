import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineKind, KubeClient, type KubeObject, loadCredentials, Namespace } from '../../runtime/kube/index.ts'
import { requestToken } from './account-token.ts'
import type { ApiServer } from './api-server-type.ts'
import { kubeGet } from './kube-get.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { until } from '../base/daemon.ts'

/** Kinds for accounts of tests. */
export const ServiceAccount = defineKind<KubeObject>({
	group: '',
	version: 'v1',
	plural: 'serviceaccounts',
	kind: 'ServiceAccount',
	namespaced: true,
})
export const Binding = defineKind<KubeObject & { roleRef: object; subjects: object[] }>({
	group: 'rbac.authorization.k8s.io',
	version: 'v1',
	plural: 'clusterrolebindings',
	kind: 'ClusterRoleBinding',
	namespaced: false,
})
const account = { namespace: 'multinic-test-access', name: 'admin' }

/**
 * Creates an administrator who authenticates with a token, because the given kubeconfig may contain only a client certificate (as with
 * k3s). The administrator is a ServiceAccount bound to cluster-admin, with a token valid for one day. Only their owner can read the
 * kubeconfigs in `dir`.
 */
export async function tokenAccess(kubeconfig: string, dir: string): Promise<Omit<ApiServer, 'bin' | 'stop'>> {
	const given = join(dir, 'given.kubeconfig')
	await writeFile(given, kubeconfig, { mode: 0o600 })
	const credentials = await loadCredentials({ kubeconfig: given }, {})
	const { server, tls } = credentials
	const { ca } = tls
	if (!ca) throw new Error(`the kubeconfig of ${server} has no certificate-authority-data`)
	const client = new KubeClient(credentials, { fieldManager: 'multinic-test' })
	const token = await tokenOfAdmin(client).finally(() => client.close())
	const isAdmin = async () => (await kubeGet({ server, ca, token }, '/api/v1/nodes')).status === 200
	await until(`${server} accepts its new administrator`, isAdmin)
	const caFile = join(dir, 'ca.crt')
	await writeFile(caFile, ca)
	return {
		server,
		token,
		ca,
		caFile,
		kubeconfig: await writeKubeconfig(join(dir, 'admin.kubeconfig'), { name: 'admin', server, ca, token }),
	}
}

async function tokenOfAdmin(client: KubeClient): Promise<string> {
	const { namespace, name } = account
	await client.apply(Namespace, { metadata: { name: namespace } })
	await client.apply(ServiceAccount, { metadata: account })
	await client.apply(Binding, {
		metadata: { name: namespace },
		roleRef: { apiGroup: Binding.group, kind: 'ClusterRole', name: 'cluster-admin' },
		subjects: [{ kind: ServiceAccount.kind, namespace, name }],
	})
	return requestToken(client, { namespace, account: name })
}

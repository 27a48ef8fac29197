import { join } from 'node:path'
import { execa } from 'execa'
import { requestToken } from '../../lab/cluster/account-token.ts'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { type ControlPlaneOptions, controlPlaneBinaries, startControlPlane } from '../../lab/cluster/control-plane.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { findKit } from '../../lab/kit/kit.ts'
import { freePort } from '../../lab/base/free-port.ts'
import { makeRunDir } from '../../lab/base/run-dir.ts'
import { KubeClient, type KubeClientOptions } from '../../runtime/kube/client.ts'
import { talkToEtcd } from './etcd.ts'

export const namespace = 'multinic-system'

/** Starts etcd and an API server with the chart. Returns a client of the administrator, and the credentials of the controller. */
export async function startPlane(flags: Pick<ControlPlaneOptions, 'etcdFlags' | 'serverFlags'>) {
	const kit = await findKit([...controlPlaneBinaries, 'helm'])
	const runDir = await makeRunDir('hard')
	const [port, dir] = [await freePort(), join(runDir.path, 'api')]
	const plane = await startControlPlane({ name: 'api', dir, kit, port, ...flags })
	const etcd = talkToEtcd(join(dir, 'etcd.sock'))
	const admin = connect({ port, ca: plane.ca, token: plane.token }, { fieldManager: 'test' })
	const stop = async () => {
		await admin.close()
		await etcd.close()
		await plane.stop()
		await runDir.remove()
	}
	const values = ['controller.replicas=0', 'rollout.maxUnavailable=50%', 'rollout.verifyIntervalSeconds=0'].flatMap(one => ['--set', one])
	const chart = ['install', 'multinic', 'charts/multinic', '-n', namespace, '--create-namespace', ...values]
	const helm = (...args: string[]) => execa(kit.helm, args, { env: { KUBECONFIG: plane.kubeconfig }, all: true })
	try {
		await helm(...chart)
		await waitForCrds(admin, [nodeConfigCrd])
		const token = await requestToken(admin, { namespace, account: 'multinic-controller' })
		return { ...plane, helm, port, dir, etcd, admin, credentials: { ca: plane.ca, token }, stop }
	} catch (error) {
		await stop()
		throw error
	}
}

/** The port of an API server on this machine, and credentials for it. */
export type Access = { port: number; ca: string; token: string }

export function connect({ port, ca, token }: Access, options: KubeClientOptions): KubeClient {
	const headers = async () => ({ authorization: `Bearer ${token}` })
	return new KubeClient({ server: `https://127.0.0.1:${port}`, tls: { ca }, headers }, options)
}

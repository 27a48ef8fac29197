import { join } from 'node:path'
import type { ApiServer, ApiServerOptions } from './api-server-type.ts'
import { controlPlaneBinaries, startControlPlane } from './control-plane.ts'
import { binFolder, findKit } from '../kit/kit.ts'
import { freePort } from '../base/free-port.ts'
import { makeRunDir } from '../base/run-dir.ts'

export type { ApiServer } from './api-server-type.ts'

/**
 * Starts etcd and a kube-apiserver (and a controller manager if requested) on a free port of 127.0.0.1. This takes about 3 s once the
 * binaries are built, and needs no root. All processes end when the current process exits. If MULTINIC_TEST_K3S names an image, a k3s
 * container of that image is started instead.
 */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
	const image = process.env.MULTINIC_TEST_K3S
	if (!image) return startOwn(options)
	const { startK3s } = await import('./k3s.ts') // imports all of testcontainers, which nothing else needs
	return startK3s(image, options)
}

async function startOwn({ controllerManager = false, log = () => {} }: ApiServerOptions): Promise<ApiServer> {
	const kit = await findKit([
		...controlPlaneBinaries,
		'kubectl',
		'helm',
		...(controllerManager ? (['kube-controller-manager'] as const) : []),
	])
	const bin = await binFolder({ kubectl: kit.kubectl, helm: kit.helm })
	const runDir = await makeRunDir('api')
	const options = { name: 'api', dir: join(runDir.path, 'api'), kit, controllerManager }
	const plane = await startSomewhere(port => startControlPlane({ ...options, port })).catch(async error => {
		await runDir.remove()
		throw error
	})
	log(`${plane.server} is ready, its logs are in ${options.dir}`)
	const stop = async () => {
		await plane.stop()
		await runDir.remove()
	}
	const { server, token, ca, caFile, kubeconfig } = plane
	return { server, token, ca, caFile, kubeconfig, bin, stop }
}

/** Retries with another port, because a port that was free a moment ago may be taken when the server binds it. */
async function startSomewhere<T>(start: (port: number) => Promise<T>): Promise<T> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await start(await freePort())
		} catch (error) {
			if (attempt === 3 || !String(error).includes('address already in use')) throw error
		}
	}
}

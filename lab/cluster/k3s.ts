import { K3sContainer } from '@testcontainers/k3s'
import { getContainerRuntimeClient, Wait } from 'testcontainers'
import type { ApiServer, ApiServerOptions } from './api-server-type.ts'
import { binFolder, findKit } from '../kit/kit.ts'
import { makeRunDir } from '../base/run-dir.ts'
import { tokenAccess } from './token-access.ts'

/** Disables the parts of k3s that the lab's own API server also lacks: they would add a node and unwanted pods. */
const without = [
	'--disable-agent',
	'--disable-scheduler',
	'--disable-cloud-controller',
	'--disable-helm-controller',
	'--disable=coredns,servicelb,traefik,local-storage,metrics-server',
]

/**
 * Starts k3s in a container, as empty as the lab's own API server. Used only if MULTINIC_TEST_K3S names an image. If the current process
 * dies, the reaper of testcontainers removes the container.
 */
export async function startK3s(image: string, { controllerManager = false, log = () => {} }: ApiServerOptions): Promise<ApiServer> {
	const bin = await binFolder(await findKit(['kubectl', 'helm']))
	const { info } = await getContainerRuntimeClient()
	const command = ['server', `--tls-san=${info.containerRuntime.host}`, ...without]
	const container = await new K3sContainer(image)
		.withCommand(controllerManager ? command : [...command, '--disable-controller-manager'])
		.withWaitStrategy(Wait.forSuccessfulCommand('kubectl get --raw=/readyz'))
		.start()
	const runDir = await makeRunDir('k3s')
	const stop = async () => {
		await container.stop()
		await runDir.remove()
	}
	try {
		const access = await tokenAccess(container.getKubeConfig(), runDir.path)
		log(`${access.server} is ready, in container ${container.getName()}`)
		return { ...access, bin, stop }
	} catch (error) {
		await stop()
		throw error
	}
}

import { KubeClient, loadCredentials } from '../../runtime/kube/index.ts'
import type { Lab } from '../setup/start-lab.ts'
import { step } from '../base/progress.ts'
import type { Cloud, MgmtOrigin } from './cloud.ts'
import { installChart, loadProduct } from './install.ts'
import { startCloud } from './start-cloud.ts'

/** A lab with the product installed, connected to a cloud. */
export interface Demo extends AsyncDisposable {
	readonly lab: Lab
	readonly cloud: Cloud
	/** Client of the biz cluster. */
	readonly client: KubeClient
	stop(): Promise<void>
}

/**
 * Installs the product: images and chart in the biz cluster, then starts OpenStack, mgmt and viola. The controller runs on the first node.
 */
export async function startDemo(lab: Lab, origin: MgmtOrigin = 'sources'): Promise<Demo> {
	await loadProduct(lab)
	await installChart(lab, lab.nodes[0]?.name ?? '')
	const cloud = await step('OpenStack, viola and mgmt', () => startCloud(lab, origin))
	const client = new KubeClient(await loadCredentials({ kubeconfig: lab.biz.kubeconfig }, {}), { fieldManager: 'multinic-lab' })
	const stop = async () => {
		await client.close()
		await cloud.stop()
	}
	return { lab, cloud, client, stop, [Symbol.asyncDispose]: stop }
}

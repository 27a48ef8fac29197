import { KubeClient, loadCredentials } from '../../runtime/kube/index.ts'
import type { Lab } from '../setup/start-lab.ts'
import { step } from '../base/progress.ts'
import { type Cloud, startCloud } from './cloud.ts'
import { installChart, loadProduct } from './install.ts'

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
export async function startDemo(lab: Lab): Promise<Demo> {
	const names = lab.nodes.map(({ name }) => name)
	await loadProduct(lab)
	await installChart(lab, names[0] ?? '')
	const clusters = { biz: lab.biz.kubeconfig, mgmt: lab.mgmt.kubeconfig, kubectl: `${lab.bin}/kubectl` }
	const cloud = await step('OpenStack, viola and mgmt', () => startCloud(lab.dir, names, clusters))
	const client = new KubeClient(await loadCredentials({ kubeconfig: lab.biz.kubeconfig }, {}), { fieldManager: 'multinic-lab' })
	const stop = async () => {
		await client.close()
		await cloud.stop()
	}
	return { lab, cloud, client, stop, [Symbol.asyncDispose]: stop }
}

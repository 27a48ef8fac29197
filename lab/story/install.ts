import { join } from 'node:path'
import { execa } from 'execa'
import { bundle } from '../../bundle.ts'
import { type BaseImages, type BuiltImage, buildImage } from '../images.ts'
import { step } from '../progress.ts'
import { namespace } from './cloud.ts'

/** The product's two images as the lab names them. */
export const images = { agent: 'localhost/multinic-agent:lab', controller: 'localhost/multinic-controller:lab' } as const

const root = join(import.meta.dirname, '../..')

/** Bundles the sources and builds both images from their Dockerfiles; a few seconds. The archives go with the lab's folder. */
export async function buildProduct(dir: string, base: BaseImages): Promise<readonly BuiltImage[]> {
	return step('images of agent and controller', async tell => {
		tell('bundling')
		await bundle()
		const built: BuiltImage[] = []
		for (const room of ['agent', 'controller'] as const) {
			tell(room)
			const input = { name: images[room], dockerfile: join(root, `Dockerfile.${room}`), context: root }
			built.push(await buildImage(input, join(dir, `${room}.tar`), base))
		}
		return built
	})
}

/** Installs the chart as an operator would. Returns when the controller is available. */
export async function installChart({ helm, kubeconfig }: { helm: string; kubeconfig: string }, controllerNode: string): Promise<void> {
	const settings = {
		'agent.image': images.agent,
		'controller.image': images.controller,
		'controller.nodeName': controllerNode,
	}
	const values = Object.entries(settings).flatMap(([name, value]) => ['--set-string', `${name}=${value}`])
	const args = ['install', 'multinic', join(root, 'charts/multinic'), '--namespace', namespace, '--create-namespace', '--wait', '--timeout', '3m']
	await step('helm install multinic', () => execa(helm, [...args, ...values], { env: { KUBECONFIG: kubeconfig } }))
}

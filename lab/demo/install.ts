import { join } from 'node:path'
import { bundle } from '../../bundle.ts'
import type { Lab } from '../setup/start-lab.ts'
import { step } from '../base/progress.ts'
import { namespace } from './cloud.ts'
import { helmInstall } from './helm-install.ts'
import { applyObjects, namespaceObject } from './kubectl.ts'

const repositories = { agent: 'localhost/multinic-agent', controller: 'localhost/multinic-controller' } as const
const tag = 'lab'

/** Names of the product's two images in the lab. */
export const images = { agent: `${repositories.agent}:${tag}`, controller: `${repositories.controller}:${tag}` } as const

/** The image of the long-running processes, as values of a chart. */
export const controllerImage = { repository: repositories.controller, tag } as const

const root = join(import.meta.dirname, '../..')

/** Bundles the sources, builds both images from their Dockerfiles, and imports them into every node. Takes a few seconds. */
export async function loadProduct(lab: Lab): Promise<void> {
	await step('bundles', () => bundle())
	for (const room of ['agent', 'controller'] as const) {
		const image = await lab.buildImage({ name: images[room], dockerfile: join(root, `Dockerfile.${room}`), context: root })
		await lab.loadImage(image)
	}
}

/**
 * Installs the chart as `docs/install.md` describes, with the controller on the given node. Returns when the controller is available.
 *
 * @param more additional arguments for helm
 */
export async function installChart(lab: Lab, controllerNode: string, more: readonly string[] = []): Promise<void> {
	await applyObjects(lab, lab.biz, [namespaceObject(namespace, 'privileged')])
	const values = {
		agent: { image: { repository: repositories.agent, tag } },
		controller: { image: controllerImage, nodeSelector: { 'kubernetes.io/hostname': controllerNode } },
	}
	await helmInstall(lab, { name: 'multinic', namespace, values, deployment: 'multinic-controller', more })
}

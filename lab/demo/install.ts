import { join } from 'node:path'
import { execa } from 'execa'
import { bundle } from '../../bundle.ts'
import type { Lab } from '../setup/start-lab.ts'
import { step } from '../base/progress.ts'
import { namespace } from './cloud.ts'

/** Names of the product's two images in the lab. */
export const images = { agent: 'localhost/multinic-agent:lab', controller: 'localhost/multinic-controller:lab' } as const

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
export async function installChart({ bin, biz }: Lab, controllerNode: string, more: readonly string[] = []): Promise<void> {
	const settings = {
		'agent.image.repository': 'localhost/multinic-agent',
		'agent.image.tag': 'lab',
		'controller.image.repository': 'localhost/multinic-controller',
		'controller.image.tag': 'lab',
		'controller.nodeSelector.kubernetes\\.io/hostname': controllerNode,
	}
	const values = Object.entries(settings).flatMap(([name, value]) => ['--set-string', `${name}=${value}`])
	const chart = ['install', 'multinic', join(root, 'charts/multinic'), '--namespace', namespace]
	const env = { KUBECONFIG: biz.kubeconfig }
	const run = (command: string, ...args: string[]) => execa(join(bin, command), args, { env })
	await run('kubectl', 'create', 'namespace', namespace)
	await run('kubectl', 'label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=privileged')
	const helm = () => run('helm', ...chart, '--wait', '--timeout', '3m', ...values, ...more)
	await step('helm install multinic', helm).catch(async error => {
		const look = (...args: string[]) => execa(join(bin, 'kubectl'), ['-n', namespace, ...args], { env, reject: false, all: true })
		const seen = [await look('get', 'pods'), await look('logs', 'deploy/multinic-controller', '--tail=5')]
		throw new Error([error.stderr, ...seen.map(({ all }) => all)].join('\n'), { cause: error })
	})
}

import { type ContainerRuntimeClient, getContainerRuntimeClient, getReaper, ImageName } from 'testcontainers'
import type { TestCase } from 'vitest/node'
import { startVitest } from 'vitest/node'
import { findKit } from '../lab/kit/kit.ts'
import { whenOrphaned } from '../lab/base/orphan.ts'
import { printLine, step } from '../lab/base/progress.ts'

/** `npm run test:k3s`: runs the cluster tests with k3s in Docker as the API server. Not part of `npm test`. */
const image = 'rancher/k3s:v1.32.13-k3s1' // the oldest Kubernetes version that the chart supports

/** Full name of each test that cannot pass on k3s, and the reason. */
const exceptions: Record<string, string> = {
	'a real API server reports its version, which the chart needs': 'it expects the version that the lab builds',
	'an API server that is stopped leaves no process and no file': 'it looks for processes of the lab, but k3s runs in a container',
	'a kubeconfig with a client certificate leads to an administrator account with a token': 'it uses a certificate of the lab’s own CA',
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
whenOrphaned(() => process.exit(130))

const remedy = 'install Docker (https://docs.docker.com/engine/install) and start it, or name its address in DOCKER_HOST'
const docker = await needed('Docker: no container runtime answers', remedy, getContainerRuntimeClient)
for (const name of [image, process.env.RYUK_CONTAINER_IMAGE ?? 'testcontainers/ryuk:0.14.0']) {
	const reach = `make sure that Docker can reach a registry: docker pull ${name}`
	await needed(`the image ${name}`, reach, () => step(`pulling ${name}`, () => pull(docker, ImageName.fromString(name))))
}
await getReaper(docker) // removes the containers when this process and all workers have exited for any reason
await findKit(['kubectl', 'helm'])

process.env.MULTINIC_TEST_K3S = image
const skipped = new Set<string>()
const onTestCaseResult = (test: TestCase) => void (test.result().state === 'skipped' && skipped.add(test.fullName.replaceAll(' > ', ' ')))
const names = Object.keys(exceptions).map(name => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
const testNamePattern = new RegExp(`^(?!\\s*(${names.join('|')})$)`)
const vitest = await startVitest('test', [], {
	project: 'cluster',
	watch: false,
	testNamePattern,
	reporters: ['default', { onTestCaseResult }],
})
await vitest.close()
for (const [name, why] of Object.entries(exceptions))
	printLine(`${skipped.has(name) ? 'skipped' : 'failed: there is no such test'}: ${name}: ${why}`)
process.exit(process.exitCode || Number(names.length > skipped.size))

async function needed<T>(what: string, remedy: string, get: () => Promise<T>): Promise<T> {
	try {
		return await get()
	} catch (error) {
		const words = error instanceof Error ? error.message : error
		printLine(`This machine cannot run the cluster tests on k3s:\n  missing: ${what} (${words})\n  do this: ${remedy}`)
		process.exit(2)
	}
}

/** Pulls an image, then checks that it exists, because a pull resolves even if its stream ends in an error. */
async function pull({ image }: ContainerRuntimeClient, name: ImageName): Promise<void> {
	await image.pull(name)
	if (!(await image.exists(name))) throw new Error('it was pulled but does not exist')
}

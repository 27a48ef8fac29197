import { join } from 'node:path'
import type { BuildInput } from '../images/buildah.ts'
import { identities, management } from '../nodes/identity.ts'
import { type BuiltImage, buildImage } from '../images/container-images.ts'
import { sockets } from '../namespace/main-process.ts'
import { binFolder } from '../kit/kit.ts'
import { writeKubeconfig } from '../cluster/kubeconfig.ts'
import { type LabNode, labNode } from '../namespace/lab-node.ts'
import { type Namespace, startNamespace } from '../namespace/namespace.ts'
import { prepareLab } from './prepare.ts'
import { step } from '../base/progress.ts'
import { type Relay, startRelay } from '../namespace/relay.ts'
import { makeRunDir } from '../base/run-dir.ts'

/** The size of a lab. */
export interface LabOptions {
	/** Default: 2. */
	nodes?: number
	/** Memory of each node in MiB; default: 1024. */
	megabytes?: number
}

/** A cluster as it is reached from the local machine. */
export interface Cluster {
	readonly name: 'biz' | 'mgmt'
	/** `https://127.0.0.1:<port>` */
	readonly server: string
	/** Bearer token of a member of system:masters. */
	readonly token: string
	/** PEM certificate of the CA that signed its serving certificate. */
	readonly ca: string
	/** Path of an administrator's kubeconfig. */
	readonly kubeconfig: string
}

/** A running lab: two clusters, one of them with nodes. */
export interface Lab extends AsyncDisposable {
	/** The lab's own directory, which `stop` removes. */
	readonly dir: string
	/** Directory that contains kubectl and helm, for PATH. */
	readonly bin: string
	/** The cluster with nodes. */
	readonly biz: Cluster
	/** The cluster without nodes. */
	readonly mgmt: Cluster
	/** node1, node2, … */
	readonly nodes: readonly LabNode[]
	/** Throws if there is no such node. */
	node(name: string): LabNode
	/** Builds an image from a Dockerfile on `baseImage`. */
	buildImage(input: BuildInput): Promise<BuiltImage>
	/** Imports an image into the nodes (default: all), under its name. */
	loadImage(image: BuiltImage, nodes?: readonly string[]): Promise<void>
	/** Address at which nodes and pods reach the ports that `exposePort` has exposed. */
	readonly gateway: string
	/** Makes a TCP port of 127.0.0.1 reachable only from the nodes and pods of this lab, at the same port of `gateway`. */
	exposePort(port: number): Promise<void>
	/** Resolves when the lab has ended without being stopped, with the end of its main process's log. */
	readonly ended: Promise<string>
	/** Stops the whole lab. No process, mount, device or file of it remains. */
	stop(): Promise<void>
}

/**
 * Starts a lab. All nodes are Ready in about 25 s once everything is prepared. The lab runs in its own namespaces, below the current
 * process, and ends when that process exits for any reason. Throws `Missing` if the machine cannot host the lab.
 */
export async function startLab({ nodes = 2, megabytes = 1024 }: LabOptions = {}): Promise<Lab> {
	const { kit, packages, disk, images } = await prepareLab(nodes)
	const runDir = await makeRunDir('lab')
	const { path: dir } = runDir
	const namespace = await startNamespace({ dir, kit, env: packages.env, disk, nodes, megabytes })
	const relays: Relay[] = []
	const stop = async () => {
		for (const relay of relays) relay.close()
		await namespace.stop()
		await runDir.remove()
	}
	const edge = { dir, relays, namespace }
	try {
		const planes = await step('clusters mgmt and biz', () => namespace.mainProcess.startClusters())
		const [biz, mgmt] = [await reach(edge, 'biz', planes.biz), await reach(edge, 'mgmt', planes.mgmt)]
		const all = identities(nodes).map(({ name }) => labNode(name, namespace.mainProcess))
		await Promise.all([
			...all.map(node => step(`${node.name} Ready`, () => node.powerOn())),
			step('Services', () => namespace.mainProcess.untilServicesReady()),
		])
		return {
			dir,
			bin: await binFolder({ kubectl: kit.kubectl, helm: kit.helm }),
			biz,
			mgmt,
			nodes: all,
			node: name => byName(all, name),
			buildImage: input => step(`image ${input.name}`, () => buildImage(input, images)),
			loadImage: (image, names = all.map(node => node.name)) =>
				loadImage(
					image,
					names.map(name => byName(all, name)),
				),
			gateway: management.gateway,
			exposePort: port => exposePort(edge, port),
			ended: namespace.ended,
			stop,
			[Symbol.asyncDispose]: stop,
		}
	} catch (error) {
		await stop()
		throw error
	}
}

/** The connections between the lab's namespaces and the host. */
interface Edge {
	dir: string
	/** The relays on the host. They are closed when the lab stops. */
	relays: Relay[]
	namespace: Namespace
}

async function reach({ dir, relays }: Edge, name: 'biz' | 'mgmt', { ca, token }: { ca: string; token: string }): Promise<Cluster> {
	const relay = await startRelay({ host: '127.0.0.1', port: 0 }, { path: join(dir, sockets[name]) })
	relays.push(relay)
	const server = `https://127.0.0.1:${relay.port}`
	return { name, server, ca, token, kubeconfig: await writeKubeconfig(join(dir, `${name}.kubeconfig`), { name, server, ca, token }) }
}

async function exposePort({ dir, relays, namespace }: Edge, port: number): Promise<void> {
	const path = join(dir, `port-${port}.sock`)
	relays.push(await startRelay({ path }, { host: '127.0.0.1', port }))
	await namespace.mainProcess.relayFromNodes(port, path)
}

function byName(nodes: readonly LabNode[], name: string): LabNode {
	const node = nodes.find(one => one.name === name)
	if (!node) throw new Error(`no node ${name} in this lab; there are ${nodes.map(one => one.name).join(', ')}`)
	return node
}

async function loadImage({ name, archive }: BuiltImage, nodes: readonly LabNode[]): Promise<void> {
	const one = async (node: LabNode) => {
		const result = await node.run('ctr --namespace k8s.io images import -', { inputFile: archive })
		if (result.exitCode !== 0) throw new Error(`${node.name} did not import the image ${name}: ${result.stderr || result.stdout}`)
	}
	await step(`${name} to ${nodes.map(node => node.name).join(', ')}`, () => Promise.all(nodes.map(one)))
}

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type BuildInput, build, type ImageStore, withExported } from './buildah.ts'
import { cacheDir, fingerprint, fingerprintFiles, keepNewest, makeOnce } from '../base/cache.ts'
import { debianTree } from './debian-tree.ts'
import type { Kit } from '../kit/kit.ts'
import { holdLock } from '../base/lock.ts'
import { layersOf, packImages } from './oci-archive.ts'
import type { Packages } from '../base/packages.ts'
import { step } from '../base/progress.ts'

/** Base image of every image in the lab, passed to the project's Dockerfiles as build-arg BASE_IMAGE. */
export const baseImage = 'localhost/multinic-base:node24'
/** Packages that the project's images need in addition to Node: the agent uses `ip`, `arping` and `ping`. */
const baseImagePackages = ['iproute2', 'iputils-arping', 'iputils-ping', 'ca-certificates', 'libstdc++6'] as const

const pauseImage = 'localhost/multinic-pause:1'

/** The images that the nodes' disk contains from the start. */
export interface BaseImages {
	/** Archive for `ctr images import`. */
	readonly archive: string
	/** Digests of the layers of `baseImage`. The archive of an image built on it can omit them. */
	readonly layers: readonly string[]
	readonly store: ImageStore
}

/** An image that a node can import. */
export interface BuiltImage {
	readonly name: string
	/** Contains only the layers that the nodes' disk lacks. It is in the cache, which keeps the newest 20. */
	readonly archive: string
}

/**
 * Returns the base image (Debian's files and Node 24) and the pause image for the namespaces of pods: from the cache, or built in half a
 * minute.
 */
export async function baseImages(kit: Kit<'pause'>, packages: Packages): Promise<BaseImages> {
	const tree = await baseImageTree(packages)
	const node = join(import.meta.dirname, `../../node_modules/node-linux-${process.arch}/bin/node`)
	const name = fingerprint(tree, kit.pause, await fingerprintFiles(node))
	const store = { folder: cacheDir(`images-${name}`), packages }
	const archive = await makeOnce(cacheDir(`images-${name}.tar`), draft =>
		step('base images', async () => {
			await rm(store.folder, { recursive: true, force: true })
			await build(await baseInput(tree, dirname(node), store), store)
			await build(await pauseInput(dirname(kit.pause), store), store)
			await withExported(baseImage, store, base =>
				withExported(pauseImage, store, async pause => {
					const images = [
						{ name: baseImage, folder: base },
						{ name: pauseImage, folder: pause },
					]
					await packImages(images, draft)
					await writeFile(layersFile(store), (await layersOf({ name: baseImage, folder: base })).join('\n'))
				}),
			)
		}),
	)
	return { archive, layers: (await readFile(layersFile(store), 'utf8')).split('\n'), store }
}

/**
 * Builds an image on `baseImage` and packs the layers above it, unless the same image was packed before. With one changed file it takes 0.5
 * s to build and 2 s to pack on an idle machine.
 */
export async function buildImage(input: BuildInput, { store, layers }: BaseImages): Promise<BuiltImage> {
	await using _turn = await holdLock(join(store.folder, 'build.lock'))
	const id = await build({ ...input, args: { BASE_IMAGE: baseImage, ...input.args } }, store)
	const packed = join(store.folder, 'packed')
	const pack = (draft: string) => withExported(input.name, store, folder => packImages([{ name: input.name, folder }], draft, layers))
	const archive = await makeOnce(join(packed, `${fingerprint(input.name)}-${id}.tar`), pack)
	await keepNewest(packed, '.tar', 20) // every code change packs another archive
	return { name: input.name, archive }
}

/** Returns the directory with Debian's files of `baseImage`. Do not change its content. */
export async function baseImageTree(packages: Packages): Promise<string> {
	return debianTree('base-image', baseImagePackages, packages)
}

function layersFile({ folder }: ImageStore): string {
	return join(folder, 'base-layers')
}

async function baseInput(tree: string, nodeFolder: string, store: ImageStore): Promise<BuildInput> {
	const dockerfile = await writeDockerfile(store, 'Dockerfile.base', [
		'FROM scratch',
		'COPY . /',
		'COPY --from=node node /usr/local/bin/node',
		'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
	])
	return { name: baseImage, dockerfile, context: tree, contexts: { node: nodeFolder } }
}

async function pauseInput(folder: string, store: ImageStore): Promise<BuildInput> {
	const dockerfile = await writeDockerfile(store, 'Dockerfile.pause', ['FROM scratch', 'COPY pause /pause', 'ENTRYPOINT ["/pause"]'])
	return { name: pauseImage, dockerfile, context: folder }
}

async function writeDockerfile({ folder }: ImageStore, name: string, lines: string[]): Promise<string> {
	await mkdir(folder, { recursive: true })
	const path = join(folder, name)
	await writeFile(path, `${lines.join('\n')}\n`)
	return path
}

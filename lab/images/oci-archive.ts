import { link, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { contained } from '../base/contained.ts'

const Blob = z.object({ mediaType: z.string(), digest: z.string().startsWith('sha256:'), size: z.int() })
const Manifest = z.object({ mediaType: z.string(), config: Blob, layers: z.array(Blob) })

/** An image as `buildah push dir:` writes it: the manifest, and each blob in a file named by its digest. */
export interface ExportedImage {
	/** Name of the image after its import. */
	name: string
	folder: string
}

/** Returns the digests of an exported image's layers, bottom first. */
export async function layersOf({ folder }: ExportedImage): Promise<string[]> {
	return (await manifestOf(folder)).layers.map(layer => layer.digest)
}

/**
 * Packs images into one archive for `ctr images import`. Layers in `without` are omitted: containerd does not need the blob of a layer that
 * it has already unpacked.
 */
export async function packImages(images: readonly ExportedImage[], archive: string, without: readonly string[] = []): Promise<void> {
	const layout = await mkdtemp(`${archive}.layout-`)
	try {
		await mkdir(join(layout, 'blobs/sha256'), { recursive: true })
		const manifests = []
		for (const image of images) manifests.push(await add(image, layout, without))
		await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
		await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
		await contained(['tar', '-C', layout, '-cf', archive, 'oci-layout', 'index.json', 'blobs'])
	} finally {
		await rm(layout, { recursive: true, force: true })
	}
}

async function add({ name, folder }: ExportedImage, layout: string, without: readonly string[]) {
	const text = await readFile(join(folder, 'manifest.json'))
	const manifest = await manifestOf(folder)
	const digest = await digestOf(join(folder, 'manifest.json'))
	await writeFile(blobPath(layout, digest), text)
	for (const blob of [manifest.config, ...manifest.layers.filter(layer => !without.includes(layer.digest))]) {
		await linkOnce(join(folder, hex(blob.digest)), blobPath(layout, blob.digest))
	}
	const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name }
	return { mediaType: manifest.mediaType, digest, size: text.length, annotations }
}

async function manifestOf(folder: string) {
	return Manifest.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')))
}

async function digestOf(path: string): Promise<string> {
	const { stdout } = await contained(['sha256sum', path])
	return `sha256:${stdout.slice(0, 64)}`
}

function blobPath(layout: string, digest: string): string {
	return join(layout, 'blobs/sha256', hex(digest))
}

function hex(digest: string): string {
	return digest.slice('sha256:'.length)
}

/** Links a file unless the target exists already, because two images may share a layer. */
async function linkOnce(from: string, to: string): Promise<void> {
	await link(from, to).catch(error => {
		if (error.code !== 'EEXIST') throw error
	})
}

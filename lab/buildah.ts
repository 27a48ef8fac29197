import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists } from './cache.ts'
import { contained } from './contained.ts'
import type { Packages } from './packages.ts'
import { makeRunDir } from './run-dir.ts'

/** A folder in which buildah keeps its images, apart from what the machine's own buildah has. */
export interface ImageStore {
	readonly folder: string
	readonly packages: Packages
}

/** What a build reads. */
export interface BuildInput {
	/** With a registry part: `localhost/multinic-agent:dev`. */
	name: string
	dockerfile: string
	context: string
	args?: Readonly<Record<string, string>>
	/** Further folders for `COPY --from`. */
	contexts?: Readonly<Record<string, string>>
}

/**
 * Builds an image from a Dockerfile: no daemon, no registry. Times are all set to 0, so that what did not change has the same
 * digest. Returns the image's id. One build at a time in a store, or the one prunes what the other stands on. Throws with the build's own
 * words.
 */
export async function build({ name, dockerfile, context, args = {}, contexts = {} }: BuildInput, store: ImageStore): Promise<string> {
	const pairs = [
		...Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]),
		...Object.entries(contexts).flatMap(([key, value]) => ['--build-context', `${key}=${value}`]),
	]
	const options = ['--isolation', 'chroot', '--layers=false', '--timestamp', '0', '--pull-never', ...pairs]
	const idFile = join(store.folder, 'image-id')
	await buildah(store, 'build', ...options, '--iidfile', idFile, '--file', dockerfile, '--tag', name, context)
	await buildah(store, 'rmi', '--prune', '--force')
	return (await readFile(idFile, 'utf8')).trim().replace('sha256:', '')
}

/**
 * Writes an image's manifest, configuration and layers (not compressed: a blob's digest is then its layer's) into a folder that is there
 * for the time of `use`.
 */
export async function withExported<T>(name: string, store: ImageStore, use: (folder: string) => Promise<T>): Promise<T> {
	const temporary = await makeRunDir('image')
	const folder = join(temporary.path, 'image')
	try {
		await buildah(store, 'push', '--quiet', '--disable-compression', '--format', 'oci', name, `dir:${folder}`)
		return await use(folder)
	} finally {
		await temporary.remove()
	}
}

async function buildah(store: ImageStore, command: string, ...args: string[]): Promise<void> {
	const settings = await configure(store)
	const signatures = ['build', 'push'].includes(command) ? ['--signature-policy', settings.policy] : []
	// For a RUN buildah starts itself anew without its environment: what loads its libraries must find them all the same.
	const script = 'mount --bind "$0" /etc/ld.so.cache && exec buildah "$@"'
	const argv = ['sh', '-c', script, await loaderCache(store), command, ...signatures, ...args] as const
	await contained(argv, { env: { ...store.packages.env, ...settings.env } })
}

/** The machine's own `/etc/ld.so.cache` with the libraries that were unpacked beside it, for one namespace to have in its place. @see ldconfig(8) */
async function loaderCache({ folder, packages: { env } }: ImageStore): Promise<string> {
	const folders = (env.LD_LIBRARY_PATH ?? '').split(':')
	const there = await Promise.all(folders.map(exists))
	const cache = join(folder, 'ld.so.cache')
	await contained(['ldconfig', '-X', '-C', cache, ...folders.filter((_, i) => there[i])], { env })
	return cache
}

/** Its own configuration, complete: the package's files are not in /etc, and what a machine has there is none of the lab's business. */
async function configure({ folder }: ImageStore) {
	const file = (name: string) => join(folder, name)
	await mkdir(folder, { recursive: true })
	await writeFile(file('policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
	await writeFile(file('registries.conf'), 'unqualified-search-registries = []\n')
	await writeFile(file('containers.conf'), '')
	const driver = await storageDriver(dirname(folder))
	await writeFile(file('storage.conf'), `[storage]\ndriver = "${driver}"\ngraphroot = "${file(driver)}"\nrunroot = "${file('run')}"\n`)
	const env = {
		CONTAINERS_CONF: file('containers.conf'),
		CONTAINERS_REGISTRIES_CONF: file('registries.conf'),
		CONTAINERS_STORAGE_CONF: file('storage.conf'),
	}
	return { policy: file('policy.json'), env }
}

const overlayfs = 0x794c7630

/** Six times as quick as vfs, but cannot stand on another overlay, which is what a container's root is. */
async function storageDriver(folder: string): Promise<'overlay' | 'vfs'> {
	const { type } = await statfs(folder)
	return type === overlayfs ? 'vfs' : 'overlay'
}

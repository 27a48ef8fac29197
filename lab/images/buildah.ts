import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists } from '../base/cache.ts'
import { contained } from '../base/contained.ts'
import type { Packages } from '../base/packages.ts'
import { makeRunDir } from '../base/run-dir.ts'

/** A directory in which buildah keeps its images, separate from the image store of the machine's own buildah. */
export interface ImageStore {
	readonly folder: string
	readonly packages: Packages
}

/** The input of an image build. */
export interface BuildInput {
	/** With the registry: `localhost/multinic-agent:dev`. */
	name: string
	dockerfile: string
	context: string
	args?: Readonly<Record<string, string>>
	/** Additional build contexts for `COPY --from`. */
	contexts?: Readonly<Record<string, string>>
}

/**
 * Builds an image from a Dockerfile, without a daemon or a registry. All timestamps are set to 0, so that unchanged content has the same
 * digest. Returns the image ID. A store allows only one build at a time, because the prune at the end could remove images that another
 * build depends on. If the build fails, throws an error with its output.
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
 * Exports the manifest, configuration and layers of an image to a directory that exists while `use` runs. Layers are not compressed, so
 * each blob has the same digest as its layer.
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
	// For a RUN instruction, buildah re-executes itself without its environment, but the loader must still find the unpacked libraries.
	const script = 'mount --bind "$0" /etc/ld.so.cache && exec buildah "$@"'
	const argv = ['sh', '-c', script, await loaderCache(store), command, ...signatures, ...args] as const
	await contained(argv, { env: { ...store.packages.env, ...settings.env } })
}

/**
 * Writes a loader cache with the machine's libraries and the unpacked ones, to be mounted over `/etc/ld.so.cache` in one mount namespace.
 * @see ldconfig(8)
 */
async function loaderCache({ folder, packages: { env } }: ImageStore): Promise<string> {
	const folders = (env.LD_LIBRARY_PATH ?? '').split(':')
	const there = await Promise.all(folders.map(exists))
	const cache = join(folder, 'ld.so.cache')
	await contained(['ldconfig', '-X', '-C', cache, ...folders.filter((_, i) => there[i])], { env })
	return cache
}

/**
 * Writes a complete, separate configuration, because the package's files are not in /etc and the machine's own configuration must not
 * affect the lab.
 */
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

/**
 * Returns `vfs` if the directory is on an overlay, such as the root of a container, where the overlay driver does not work. Otherwise
 * returns `overlay`, which is six times as fast.
 */
async function storageDriver(folder: string): Promise<'overlay' | 'vfs'> {
	const { type } = await statfs(folder)
	return type === overlayfs ? 'vfs' : 'overlay'
}

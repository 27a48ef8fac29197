import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists } from '../base/cache.ts'
import { contained } from '../base/contained.ts'
import type { Packages } from '../base/packages.ts'
import { makeRunDir } from '../base/run-dir.ts'

/** A folder in which buildah keeps its images, separate from those of the machine's own buildah. */
export interface ImageStore {
	readonly folder: string
	readonly packages: Packages
}

/** The input of a build. */
export interface BuildInput {
	/** With a registry part: `localhost/multinic-agent:dev`. */
	name: string
	dockerfile: string
	context: string
	args?: Readonly<Record<string, string>>
	/** Additional folders for `COPY --from`. */
	contexts?: Readonly<Record<string, string>>
}

/**
 * Builds an image from a Dockerfile: no daemon, no registry. All times are set to 0, so that unchanged content has the same digest. Returns
 * the image's id. A store allows one build at a time, because one would prune what the other depends on. Throws with the output of the
 * build.
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
 * Writes an image's manifest, configuration and layers (not compressed: a blob's digest is then its layer's) into a folder that exists
 * while `use` runs.
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
	// For a RUN, buildah re-executes itself without its environment: the loader must find its libraries anyway.
	const script = 'mount --bind "$0" /etc/ld.so.cache && exec buildah "$@"'
	const argv = ['sh', '-c', script, await loaderCache(store), command, ...signatures, ...args] as const
	await contained(argv, { env: { ...store.packages.env, ...settings.env } })
}

/**
 * Writes the machine's own `/etc/ld.so.cache` with the unpacked libraries added, to be mounted over it in one namespace. @see ldconfig(8)
 */
async function loaderCache({ folder, packages: { env } }: ImageStore): Promise<string> {
	const folders = (env.LD_LIBRARY_PATH ?? '').split(':')
	const there = await Promise.all(folders.map(exists))
	const cache = join(folder, 'ld.so.cache')
	await contained(['ldconfig', '-X', '-C', cache, ...folders.filter((_, i) => there[i])], { env })
	return cache
}

/**
 * Writes a complete, separate configuration: the package's files are not in /etc, and the machine's own configuration must not affect the
 * lab.
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

/** overlay is six times as fast as vfs, but does not work on another overlay, which is what a container's root is. */
async function storageDriver(folder: string): Promise<'overlay' | 'vfs'> {
	const { type } = await statfs(folder)
	return type === overlayfs ? 'vfs' : 'overlay'
}

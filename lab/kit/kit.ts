import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cacheDir, exists, fingerprint, fingerprintFiles } from '../base/cache.ts'
import { goBuild } from './go-build.ts'
import { holdLock } from '../base/lock.ts'
import { step, type ReportProgress } from '../base/progress.ts'

/** The Go modules of `lab/kit/`, and the package that each binary is built from. */
const modules = {
	kubernetes: {
		'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
		'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
		'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
		'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
		kubectl: 'k8s.io/kubernetes/cmd/kubectl',
		kubelet: 'k8s.io/kubernetes/cmd/kubelet',
	},
	etcd: { etcd: 'go.etcd.io/etcd/server/v3' },
	helm: { helm: 'helm.sh/helm/v3/cmd/helm' },
	tools: { certs: './certs', mconsole: './mconsole', pause: './pause' },
} as const

type ModuleName = keyof typeof modules
type NameIn<M> = M extends unknown ? keyof M : never
/** A binary of the lab. */
export type Binary = NameIn<(typeof modules)[ModuleName]>

/** All binaries that a complete lab needs. */
export const allBinaries = Object.values(modules).flatMap(names => Object.keys(names)) as Binary[]

/** The absolute path of each requested binary. */
export type Kit<B extends Binary = Binary> = Readonly<Record<B, string>>

const kitDir = import.meta.dirname

/**
 * Returns the path of each binary: in $KUBEBUILDER_ASSETS, otherwise in the cache, otherwise newly built from the Go module proxy (about
 * five minutes on two cores for all of them). Needs no root. Throws if a binary must be built and Go is not installed.
 */
export async function findKit<B extends Binary>(names: readonly B[]): Promise<Kit<B>> {
	const paths: [B, string][] = []
	for (const name of names) paths.push([name, (await asset(name)) ?? (await cached(name))])
	return Object.fromEntries(paths) as Kit<B>
}

/** Reports whether all these binaries exist, so that none has to be built. */
export async function isKitBuilt(names: readonly Binary[]): Promise<boolean> {
	const there = await Promise.all(names.map(async name => (await asset(name)) !== undefined || exists(await cachePath(name))))
	return there.every(Boolean)
}

/** Returns a directory for PATH that contains only links to these binaries. */
export async function binFolder(kit: Partial<Kit>): Promise<string> {
	const links = Object.entries(kit)
	const folder = cacheDir('kit', `bin-${fingerprint(...links.flat())}`)
	if (await exists(folder)) return folder
	const draft = `${folder}.${process.pid}`
	await mkdir(draft, { recursive: true })
	for (const [name, path] of links) await symlink(path, join(draft, name))
	// Two processes may create the same directory concurrently: the second finds it complete, with the same links, and discards its own.
	await rename(draft, folder).catch(() => rm(draft, { recursive: true }))
	return folder
}

async function asset(name: Binary): Promise<string | undefined> {
	const folder = process.env.KUBEBUILDER_ASSETS
	if (!folder) return undefined
	const path = join(folder, name)
	return (await exists(path)) ? path : undefined
}

async function cached(name: Binary): Promise<string> {
	const path = await cachePath(name)
	if (await exists(path)) return path
	await mkdir(dirname(path), { recursive: true })
	// Only one build at a time, whatever the binary: builds share Go's build cache and would only slow each other down.
	await using _lock = await holdLock(cacheDir('kit', 'build.lock'))
	if (!(await exists(path))) await step(`building ${name}`, report => build(name, path, report))
	return path
}

async function cachePath(name: Binary): Promise<string> {
	const module = moduleOf(name)
	return cacheDir('kit', `${module}-${await moduleFingerprint(module)}`, name)
}

async function build(name: Binary, path: string, report: ReportProgress): Promise<void> {
	const module = moduleOf(name)
	const command = (modules[module] as Partial<Record<Binary, string>>)[name] ?? name
	const output = `${path}.draft`
	await goBuild({ module: join(kitDir, module), command, linkerFlags: await linkerFlags(module), output }, report)
	await rename(output, path)
}

function moduleOf(name: Binary): ModuleName {
	for (const [module, names] of Object.entries(modules)) if (name in names) return module as ModuleName
	throw new Error(`${name} is not a binary of the kit`)
}

async function moduleFingerprint(module: ModuleName): Promise<string> {
	const files = module === 'tools' ? ['go.mod', 'certs/main.go', 'mconsole/main.go', 'pause/main.go'] : ['go.mod', 'go.sum']
	return fingerprint(await fingerprintFiles(...files.map(file => join(kitDir, module, file))), await linkerFlags(module))
}

/**
 * Returns flags that strip the binary and stamp the same versions as the projects' own Makefiles: discovery and a chart's `kubeVersion` use
 * them.
 */
async function linkerFlags(module: ModuleName): Promise<string> {
	const kubernetes = await pinned('kubernetes', 'k8s.io/kubernetes')
	const [major, minor] = kubernetes.slice(1).split('.')
	const stamps: Partial<Record<ModuleName, string[]>> = {
		kubernetes: ['gitVersion', 'gitMajor', 'gitMinor'].map(
			(key, i) => `k8s.io/component-base/version.${key}=${[kubernetes, major, minor][i]}`,
		),
		helm: [
			`helm.sh/helm/v3/internal/version.version=${await pinned('helm', 'helm.sh/helm/v3')}`,
			...['pkg/chartutil', 'pkg/lint/rules'].flatMap(where => [
				`helm.sh/helm/v3/${where}.k8sVersionMajor=${major}`,
				`helm.sh/helm/v3/${where}.k8sVersionMinor=${minor}`,
			]),
		],
	}
	return ['-s', '-w', ...(stamps[module] ?? []).map(stamp => `-X ${stamp}`)].join(' ')
}

/** Returns the version that a Go module of the lab pins in its go.mod, such as "v1.34.4". */
async function pinned(module: ModuleName, dependency: string): Promise<string> {
	const text = await readFile(join(kitDir, module, 'go.mod'), 'utf8')
	const version = text.match(new RegExp(`^(?:require\\s+|\\t)${dependency} (v\\S+)`, 'm'))?.[1]
	if (!version) throw new Error(`lab/kit/${module}/go.mod does not pin ${dependency}`)
	return version
}

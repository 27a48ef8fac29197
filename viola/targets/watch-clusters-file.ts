import { createHash } from 'node:crypto'
import { type FileSource, readSource, type WatchOptions, watchFiles } from '../../runtime/watched-file.ts'
import { type ClustersFile, targetsIn } from './clusters-file.ts'
import type { Target } from './target.ts'

type Options = Pick<WatchOptions<unknown>, 'log' | 'setTimer'> & { signal: AbortSignal; onChange: () => void }

/**
 * Watches the file of clusters and the kubeconfigs that it names, whose credentials may be rotated.
 *
 * @returns a function that returns the targets of the last valid version
 */
export function watchClustersFile(source: FileSource<ClustersFile>, options: Options): () => Target[] {
	const { onChange, ...rest } = options
	const path = source.paths.join()
	const kubeconfigs = watchKubeconfigs(options)
	const clusters = watchFiles(source, {
		...rest,
		onChange: now => {
			kubeconfigs.follow(now)
			onChange()
		},
	})
	kubeconfigs.follow(clusters())
	return () => targetsIn(clusters(), path, kubeconfigs.digestOf)
}

function watchKubeconfigs({ signal, ...options }: Options) {
	const watched = new Map<string, { digest: () => string; stop: AbortController }>()
	const start = (path: string) => {
		const stop = new AbortController()
		const digest = watchFiles(digestSource(path), { ...options, signal: AbortSignal.any([signal, stop.signal]) })
		watched.set(path, { digest, stop })
	}
	return {
		digestOf: (path: string) => watched.get(path)?.digest() ?? '',
		follow: (clusters: ClustersFile) => {
			const wanted = new Set([...clusters.values()].flatMap(({ kubeconfig }) => kubeconfig ?? []))
			for (const [path, { stop }] of watched) {
				if (wanted.has(path)) continue
				stop.abort()
				watched.delete(path)
			}
			for (const path of wanted) if (!watched.has(path)) start(path)
		},
	}
}

/** A kubeconfig that cannot be read affects only its own cluster, so its target exists, and changes when the file can be read. */
function digestSource(path: string): FileSource<string> {
	const parse = (text = '') => createHash('sha256').update(text).digest('hex')
	try {
		return readSource([path], parse)
	} catch {
		return { paths: [path], parse, first: '', digest: '' } // the watch reports the error at its first poll
	}
}

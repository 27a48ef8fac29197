import { Failure } from '../../errors.ts'
import type { Cluster, Kubeconfig, User } from './schema.ts'

/** Which cluster and which user a context means, among several files: for each name, and for the current context, the first file counts. Pure. */

export type Chosen = {
	cluster: Cluster & { name: string }
	user: User & { name: string }
	namespace: string | undefined
}

/** @returns the current context of the files; undefined where none of them has one */
export function currentContext(files: readonly Kubeconfig[]): string | undefined {
	return files.map(file => file['current-context']).find(name => name !== undefined)
}

/**
 * @param where what the files are called in a message
 * @throws Failure CONFIG_INVALID when the context, its cluster or its user is missing
 */
export function select(files: readonly Kubeconfig[], context: string, where: string): Chosen {
	const missing = (what: string) => new Failure('CONFIG_INVALID', `${where} has no ${what}`)
	const found = first(files, 'contexts', context)
	if (!found) throw missing(`context ${context}`)
	if (found.cluster === undefined) throw missing(`cluster in context ${context}`)
	const cluster = first(files, 'clusters', found.cluster)
	if (!cluster) throw missing(`cluster ${found.cluster}`)
	if (found.user === undefined) throw missing(`user in context ${context}`)
	const user = first(files, 'users', found.user)
	if (!user) throw missing(`user ${found.user}`)
	return { cluster: { ...cluster, name: found.cluster }, user: { ...user, name: found.user }, namespace: found.namespace }
}

type Lists = 'clusters' | 'users' | 'contexts'
type Part<List extends Lists> = Kubeconfig[List] extends Map<string, infer One> ? One : never

function first<List extends Lists>(files: readonly Kubeconfig[], list: List, name: string): Part<List> | undefined {
	return files.map(file => file[list].get(name) as Part<List> | undefined).find(part => part !== undefined)
}

import { Failure } from '../../errors.ts'
import { type Cluster, type Kubeconfig, User } from './schema.ts'

/** Selects the cluster and the user of a context from several files: the first file with an entry of that name takes precedence. Pure. */

export type Chosen = {
	cluster: Cluster & { name: string }
	user: User & { name: string }
	namespace: string | undefined
}

/** @returns the current context of the first file that has one; undefined if no file has one */
export function currentContext(files: readonly Kubeconfig[]): string | undefined {
	return files.map(file => file['current-context']).find(name => name !== undefined)
}

/**
 * @param where name of the files in messages
 * @throws Failure CONFIG_INVALID if the context, its cluster or its user is missing
 */
export function select(files: readonly Kubeconfig[], context: string, where: string): Chosen {
	const missing = (what: string) => new Failure('CONFIG_INVALID', `${where} has no ${what}`)
	const found = first(files, 'contexts', context)
	if (!found) throw missing(`context ${context}`)
	if (found.cluster === undefined) throw missing(`cluster in context ${context}`)
	const cluster = first(files, 'clusters', found.cluster)
	if (!cluster) throw missing(`cluster ${found.cluster}`)
	return { cluster: { ...cluster, name: found.cluster }, user: userOf(files, found.user), namespace: found.namespace }

	function userOf(files: readonly Kubeconfig[], name: string | undefined): Chosen['user'] {
		// without a user, kubectl prompts for a user name, except if the connection is plain HTTP, such as that of `kubectl proxy`
		if (name === undefined && cluster?.server?.startsWith('http:')) return { ...User.parse({}), name: '' }
		if (name === undefined) throw missing(`user in context ${context}`)
		const user = first(files, 'users', name)
		if (!user) throw missing(`user ${name}`)
		return { ...user, name }
	}
}

type Lists = 'clusters' | 'users' | 'contexts'
type Part<List extends Lists> = Kubeconfig[List] extends Map<string, infer One> ? One : never

function first<List extends Lists>(files: readonly Kubeconfig[], list: List, name: string): Part<List> | undefined {
	return files.map(file => file[list].get(name) as Part<List> | undefined).find(part => part !== undefined)
}

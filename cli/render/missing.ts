import { similarNames } from '../model/similar-names.ts'

/** The text for missing node configs, and for a namespace that is being deleted. Pure. */

/** The state of the requested namespace. */
export type NamespaceState = 'there' | 'deleting' | 'missing' | 'unknown'

/** Node configs in other namespaces: namespace → count. */
type Elsewhere = ReadonlyMap<string, number>

const states: Readonly<Record<NamespaceState, string>> = {
	there: '',
	unknown: '',
	missing: ' (no such namespace)',
	deleting: ' (being deleted)',
}

/** @returns the lines that replace a table without rows */
export function noneLines(namespace: string, state: NamespaceState, elsewhere: Elsewhere): string[] {
	const others = [...elsewhere].map(([name, count]) => `namespace ${name} has ${count}: kubectl multinic get -n ${name}`)
	return [
		`no node configs in namespace ${namespace}${states[state]}; use -n for another namespace`,
		...others,
		...(others.length > 0 ? [own] : []),
	]
}

const own = 'A controller only reads node configs in its own namespace.'

/** @returns the sentence for a name without a node config */
export function noSuchNodeWords(name: string, namespace: string, names: readonly string[], elsewhere: Elsewhere): string {
	const what = `there is no node config ${name} in namespace ${namespace}`
	const [other] = elsewhere.keys()
	if (other !== undefined)
		return `${what}, but there is one in namespace ${other}. ${own} Use -n ${other} if MultiNIC is installed there, otherwise create the node config in ${namespace}`
	const near = similarNames(name, names)
	const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `list them with: kubectl multinic get -n ${namespace}`
	return `${what}; ${hint}`
}

/** @returns the sentence for a namespace without MultiNIC */
export function noFleetWords(namespace: string, elsewhere: Elsewhere): string {
	const others = [...elsewhere].map(([name, count]) => `; namespace ${name} has ${count === 1 ? '1 node config' : `${count} node configs`}`)
	return `MultiNIC is not installed in namespace ${namespace}, so nothing was changed: the namespace has neither a node config nor ConfigMap multinic-rollout; use -n for another namespace${others.join('')}`
}

/** @returns how to remove a node config that is being deleted with its namespace */
export function releaseWords(name: string, namespace: string): string {
	return `To remove it without restoring the node: kubectl patch mnnc ${name} -n ${namespace} --type=merge -p '{"metadata":{"finalizers":null}}'`
}

/** @returns the sentence for a namespace that is being deleted while node configs are in it */
export function deletedNamespaceWords(namespace: string): string {
	return `namespace ${namespace} is being deleted. No run can start in it, so no node is restored, and the namespace cannot be removed while node configs wait for that. To see how to release one: kubectl multinic get NODE -n ${namespace}`
}

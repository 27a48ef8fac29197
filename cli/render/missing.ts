import { nearNames } from '../near.ts'
import type { NamespaceState } from '../namespace.ts'

/** What is said where there is no node config, and where the namespace goes. Pure. */

/** Where node configs are that were not asked for: namespace → how many. */
type Elsewhere = ReadonlyMap<string, number>

const states: Readonly<Record<NamespaceState, string>> = {
	there: '',
	unknown: '',
	missing: ' (no such namespace)',
	deleting: ' (being deleted)',
}

/** @returns the lines in place of a table without rows */
export function noneLines(namespace: string, state: NamespaceState, elsewhere: Elsewhere): string[] {
	const others = [...elsewhere].map(([name, count]) => `namespace ${name} has ${count}: kubectl multinic get -n ${name}`)
	return [
		`no node config in namespace ${namespace}${states[state]}; another namespace is named by -n`,
		...others,
		...(others.length > 0 ? [own] : []),
	]
}

const own = 'A controller reads the node configs of its own namespace alone.'

/** @returns the sentence for a name that no node config has */
export function noSuchNodeWords(name: string, namespace: string, names: readonly string[], elsewhere: Elsewhere): string {
	const what = `no node config has the name ${name} in namespace ${namespace}`
	const [other] = elsewhere.keys()
	if (other !== undefined)
		return `${what}, but one in namespace ${other} has. ${own} Give -n ${other} if MultiNIC is installed there, else create the node config in ${namespace}`
	const near = nearNames(name, names)
	const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `kubectl multinic get -n ${namespace} lists those there are`
	return `${what}; ${hint}`
}

/** @returns what can be done where a node config is deleted with its namespace */
export function releaseWords(name: string, namespace: string): string {
	return `To release it, with its node left as it is: kubectl patch mnnc ${name} -n ${namespace} --type=merge -p '{"metadata":{"finalizers":null}}'`
}

/** @returns the sentence for a namespace that is being deleted while node configs are in it */
export function deletedNamespaceWords(namespace: string): string {
	return `namespace ${namespace} is being deleted. No run can start in it, so no node is put back as it was, and the namespace stays as long as node configs wait for that. kubectl multinic get NODE -n ${namespace} tells how one is released`
}

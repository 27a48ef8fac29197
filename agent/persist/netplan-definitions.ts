import { type Tree, yamlTree } from './yaml-tree.ts'

/** One definition in a netplan file: the kind of link, its id, and the values that may identify a NIC. */
export type NetplanDefinition = {
	kind: string
	id: string
	/** All its values, in lower case. */
	words: ReadonlySet<string>
	setName?: string
	/** Patterns of the link names that it matches. */
	matches: readonly string[]
}

/**
 * Returns every definition in a netplan file.
 *
 * @throws Error that describes what cannot be parsed; netplan's own generator decides whether it is invalid
 */
export function netplanDefinitions(content: string): NetplanDefinition[] {
	const tree = yamlTree(content)
	if (Array.isArray(tree) || (typeof tree === 'string' && tree !== '')) throw new Error('line 1 has no mapping')
	return pairsOf(tree)
		.filter(([key]) => key === 'network')
		.flatMap(([, network]) => pairsOf(network))
		.flatMap(([kind, all]) => pairsOf(all).map(([id, body]) => definitionOf(kind, id, body)))
}

function definitionOf(kind: string, id: string, body: Tree): NetplanDefinition {
	const setName = valuesOf(body, 'set-name').at(-1)
	const matches = valuesOf(body, 'match').flatMap(match => valuesOf(match, 'name'))
	return {
		kind,
		id,
		words: new Set(wordsIn(body).map(word => word.toLowerCase())),
		...(typeof setName === 'string' && { setName }),
		matches: matches.flatMap(wordsIn),
	}
}

function pairsOf(tree: Tree): readonly (readonly [key: string, value: Tree])[] {
	return typeof tree === 'object' && 'pairs' in tree ? tree.pairs : []
}

function valuesOf(tree: Tree, key: string): Tree[] {
	return pairsOf(tree).flatMap(([other, value]) => (other === key ? [value] : []))
}

/** Ignores keys: they identify the definition itself and not a NIC. */
function wordsIn(tree: Tree): string[] {
	if (typeof tree === 'string') return [tree]
	return ('pairs' in tree ? tree.pairs.map(([, value]) => value) : tree).flatMap(wordsIn)
}

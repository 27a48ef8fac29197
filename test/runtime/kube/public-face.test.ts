import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/** Other code imports runtime/kube only through its index.ts. */

const face = 'runtime/kube/index.ts'
const sources = globSync('{agent,cli,contract,controller,lab,mgmt,runtime,viola}/**/*.ts').filter(path => !path.startsWith('runtime/kube/'))

type Import = { path: string; from: string; names: string[] }

const imports = sources.flatMap(importsOf).filter(({ from }) => from.startsWith('runtime/kube/'))

test('rooms import runtime/kube only from index.ts', () => {
	expect(imports.length).toBeGreaterThan(30)
	expect(imports.filter(({ from }) => from !== face).map(({ path, from }) => `${path} imports ${from}`)).toEqual([])
})

test('index.ts exports exactly the names that rooms import', () => {
	const exported = [...readFileSync(face, 'utf8').matchAll(/\{([^}]*)\} from/g)].flatMap(([, list = '']) => namesIn(list))
	expect(exported.toSorted()).toEqual([...new Set(imports.flatMap(({ names }) => names))].sort())
})

test('the agent does not import runtime/kube', () => {
	expect(imports.filter(({ path }) => path.startsWith('agent/'))).toEqual([])
})

function importsOf(path: string): Import[] {
	const found = readFileSync(path, 'utf8').matchAll(/(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'(\.[^']+)'/g)
	return [...found].map(([, list = '', from = '']) => ({ path, from: normalize(join(dirname(path), from)), names: namesIn(list) }))
}

function namesIn(list: string): string[] {
	return list.split(',').flatMap(
		one =>
			one
				.trim()
				.replace(/^type\s+/, '')
				.split(/\s+as\s+/)[0] || [],
	)
}

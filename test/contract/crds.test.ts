import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openApiSchema } from '../../contract/crd.ts'
import { crds } from '../../contract/crds.ts'
import { generatedFiles } from '../../contract/write-yaml.ts'

test.each([...generatedFiles()])('%s is what `npm run crds` writes', (path, content) => {
	expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(content)
})

/** What Kubernetes rejects in a structural schema, or silently reads differently than zod. */
const forbidden = [
	'$ref',
	'$schema',
	'definitions',
	'oneOf',
	'anyOf',
	'not',
	'readOnly',
	'deprecated',
	'patternProperties',
	'propertyNames',
]

test.each(crds.map(crd => [crd.names.kind, crd] as const))('%s has a structural schema', (_, crd) => {
	const schema = structuralParts(openApiSchema(crd.schema))
	expect(schema.filter(([key]) => forbidden.includes(key))).toEqual([])
	expect(schema.filter(([key, value]) => key === 'pattern' && /\(\?[=!<]|\\u/.test(String(value)))).toEqual([])
})

function structuralParts(node: unknown): [string, unknown][] {
	if (typeof node !== 'object' || node === null) return []
	return Object.entries(node).flatMap(([key, value]) => [[key, value] as [string, unknown], ...structuralParts(value)])
}

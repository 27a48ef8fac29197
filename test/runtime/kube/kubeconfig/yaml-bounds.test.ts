import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { yamlFault } from '../../../../runtime/kube/kubeconfig/yaml-bounds.ts'

const bounds = { bytes: 10_000, depth: 4, tokens: 1_000 }
const bomb = ['a: &a [x, x]', 'b: &b [*a, *a]', 'c: [*b, *b]'].join('\n')

test.each<[sentence: string, text: string, fault: RegExp | undefined]>([
	['an empty text is allowed', '', undefined],
	['mappings and lists up to the limit are allowed', 'a: [{ b: [c] }]', undefined],
	['values that look like aliases, anchors and tags are allowed', 'a: "*b"\nc: \'&d\'\ne: x*y\nf: |\n  *g\n  &h\n  !i', undefined],
	['a text of many bytes', 'x'.repeat(10_001), /^it has 10001 bytes, and at most 10000 are allowed$/],
	['characters of several bytes are counted as bytes', 'é'.repeat(5_001), /10002 bytes/],
	['many values', 'a: b\n'.repeat(300), /more than 1000 YAML tokens/],
	['many empty lines', '\n'.repeat(1_001), /more than 1000 YAML tokens/],
	['flow lists that are nested too deep', '['.repeat(5_000), /nested more than 4 levels deep/],
	['block lists that are nested too deep', '- '.repeat(4_000), /nested more than 4 levels deep/],
	['mappings that are nested too deep', 'a:\n b:\n  c:\n   d:\n    e: 1', /nested more than 4 levels deep/],
	['an alias bomb', bomb, /has a YAML anchor, which is not allowed/],
	['an alias without its anchor', 'a: *b', /has a YAML alias/],
	['an alias as a key', '*b : c', /has a YAML alias/],
	['a tag', 'a: !!binary eA==', /has a YAML tag/],
])('%s', (_, text, fault) => {
	if (fault) expect(yamlFault(text, bounds)).toMatch(fault)
	else expect(yamlFault(text, bounds)).toBeUndefined()
})

test('any value within the limits is allowed, as YAML and as JSON', () => {
	const value = fc.dictionary(fc.string(), fc.array(fc.string(), { maxLength: 5 }), { maxKeys: 5 })
	fc.assert(
		fc.property(value, document => {
			const wide = { bytes: 100_000, depth: 4, tokens: 10_000 }
			expect(yamlFault(stringify(document, { aliasDuplicateObjects: false }), wide)).toBeUndefined()
			expect(yamlFault(JSON.stringify(document), wide)).toBeUndefined()
		}),
	)
})

import { expect, test } from 'vitest'
import { parseClusters, targetsIn } from '../../../viola/targets/clusters-file.ts'

test.each<[sentence: string, text: string, words: string]>([
	['nothing', '', 'it: '],
	['a list', '[biz]', 'it: '],
	['an unknown field', 'biz: { kubeConfig: /x }', 'biz: Unrecognized key: "kubeConfig"'],
	['a provider twice', 'biz: {}\nbiz: {}', 'unique'],
	['an empty provider id', '"": {}', 'provider id ""'],
	['a provider id with a space', '"a b": {}', 'provider id "a b": must be usable as a label value'],
	['a provider id with a line break', '"a\\nb": {}', 'provider id "a\\nb"'],
	['a provider id of 64 characters', `${'a'.repeat(64)}: {}`, `provider id "${'a'.repeat(64)}"`],
	['a namespace that is not a name', 'biz: { namespace: ../x }', 'biz.namespace: must be the name of a Kubernetes object'],
])('the file is rejected if it has %s', (_, text, words) => {
	expect(() => parseClusters(text)).toThrow(words)
})

test('a file may have no clusters', () => {
	expect(parseClusters('{}').size).toBe(0)
})

test('each entry is a target, with the default namespace', () => {
	const clusters = parseClusters('biz: {}\ntwo: { kubeconfig: /k, context: c, namespace: n }')
	expect(targetsIn(clusters, 'clusters.yaml', path => `digest of ${path}`)).toMatchObject([
		{ providerId: 'biz', namespace: 'multinic-system', source: 'clusters.yaml', access: { from: 'file' } },
		{ providerId: 'two', namespace: 'n', access: { from: 'file', kubeconfig: '/k', context: 'c' } },
	])
})

test('another content of a kubeconfig is another version of the same place', () => {
	const clusters = parseClusters('biz: { kubeconfig: /k }')
	const [before, after] = ['1', '2'].map(digest => targetsIn(clusters, 'f', () => digest)[0])
	expect(after?.place).toBe(before?.place)
	expect(after?.version).not.toBe(before?.version)
})

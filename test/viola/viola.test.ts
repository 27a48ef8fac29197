import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../viola/config.ts'
import { canonicalText } from '../../contract/canonical.ts'
import { manifest } from '../../viola/model/manifest.ts'
import { nic, place, request } from './nodes.ts'

let folder: string
const file = (name: string, content: string) => {
	writeFileSync(join(folder, name), content)
	return join(folder, name)
}
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), 'multinic-viola-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('a node name of more than 63 characters is set in the spec but not as a label', () => {
	const nodeName = `${'a'.repeat(60)}.example.com`
	const { metadata, spec } = manifest(request({ nodeName }), { ...place, specHash: 'abc' })
	expect([metadata.name, spec.nodeName, metadata.labels]).toEqual([
		nodeName,
		nodeName,
		{ 'multinic.io/instance-id': 'vm-1', 'multinic.io/provider-id': 'biz' },
	])
})

test('the canonical text of interfaces does not depend on their order, the order of keys, names and defaults', () => {
	const other = { ...nic, id: 1, macAddress: 'fa:16:3e:37:c3:f2', address: '10.0.0.24' }
	fc.assert(
		fc.property(
			fc.shuffledSubarray([nic, other], { minLength: 2 }),
			fc.shuffledSubarray(Object.entries(nic), { minLength: 5 }),
			(list, entries) => {
				const shuffled = list.map(item =>
					item.id === 0
						? (Object.fromEntries(entries) as typeof nic)
						: { ...item, name: 'multinic1', defaultRoute: false, policyRouting: true, connectedRoute: true },
				)
				expect(canonicalText(shuffled)).toBe(canonicalText([nic, other]))
			},
		),
	)
	expect(canonicalText([{ ...nic, mtu: 1451 }])).not.toBe(canonicalText([nic]))
	expect(canonicalText([{ ...nic, defaultRoute: true }])).not.toBe(canonicalText([nic]))
	expect(canonicalText([{ ...nic, connectedRoute: false }])).not.toBe(canonicalText([nic]))
})

test('the environment is read', () => {
	const VIOLA_CLUSTERS = file('clusters.yaml', 'biz: { kubeconfig: /k }\n')
	expect(readConfig({ VIOLA_CLUSTERS, VIOLA_ADDR: '[::1]:80' })).toMatchObject({ host: '::1', port: 80 })
	expect(readConfig({ VIOLA_CLUSTERS: file('clusters.json', '{"biz":{}}') })).toMatchObject({ host: '', port: 8080 })
})

test.each<[sentence: string, env: () => Record<string, string>, words: RegExp]>([
	['no clusters', () => ({}), /VIOLA_CLUSTERS or VIOLA_SECRETS_NAMESPACE is required/],
	['a clusters file without clusters', () => ({ VIOLA_CLUSTERS: file('e', '{}') }), /VIOLA_CLUSTERS: has no clusters/],
	['a clusters file that does not exist', () => ({ VIOLA_CLUSTERS: '/nowhere' }), /VIOLA_CLUSTERS: ENOENT/],
	['an invalid namespace', () => ({ VIOLA_SECRETS_NAMESPACE: '../x' }), /VIOLA_SECRETS_NAMESPACE: must be the name/],
	['an invalid clusters file', () => ({ VIOLA_CLUSTERS: file('d', 'biz: 5') }), /VIOLA_CLUSTERS: .*biz: /],
	['an address without a port', () => ({ VIOLA_CLUSTERS: file('c', 'biz: {}'), VIOLA_ADDR: 'host' }), /VIOLA_ADDR: must be host:port/],
])('with %s, viola does not start and names the variable', (_, env, words) => {
	expect(() => readConfig(env())).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(words) }))
})

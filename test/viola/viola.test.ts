import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../viola/config.ts'
import { canonicalText } from '../../contract/canonical.ts'
import { manifest } from '../../viola/model/manifest.ts'
import { nic, place, request } from './nodes.ts'
import { parseClusters, route } from '../../viola/targets/routing.ts'

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

test.each<[sentence: string, document: unknown, words: string]>([
	['an empty file', null, 'expected record'],
	['no cluster', {}, 'has no clusters'],
	['an unknown field', { biz: { kubeConfig: '/x' } }, 'biz: Unrecognized key: "kubeConfig"'],
])('the clusters file is rejected: %s', (_, document, words) => {
	expect(() => parseClusters(document)).toThrow(words)
})

test('a request is routed to its cluster or rejected', () => {
	const clusters = parseClusters({ biz: {}, two: { kubeconfig: '/k', namespace: 'n' } })
	expect(route(clusters, 'biz')).toEqual({ providerId: 'biz', target: { namespace: 'multinic-system' } })
	expect(route(clusters, 'two').target).toEqual({ kubeconfig: '/k', namespace: 'n' })
	for (const id of ['other', '__proto__', 'constructor']) expect(() => route(clusters, id)).toThrow('no cluster is configured')
	expect(() => route(clusters, undefined)).toThrow('x-provider-id is required')
})

test('the environment is read, including the token from its file', () => {
	const VIOLA_CLUSTERS = file('clusters.yaml', 'biz: { kubeconfig: /k }\n')
	const config = readConfig({ VIOLA_CLUSTERS, VIOLA_TOKEN_FILE: file('token', 'secret\n'), VIOLA_ADDR: '[::1]:80' })
	expect([config.host, config.port, config.token()]).toEqual(['::1', 80, 'secret'])
	expect(readConfig({ VIOLA_CLUSTERS: file('clusters.json', '{"biz":{}}'), VIOLA_TOKEN: 't' })).toMatchObject({
		host: '',
		port: 8080,
	})
})

test.each<[sentence: string, env: () => Record<string, string>, words: RegExp]>([
	['no token', () => ({ VIOLA_CLUSTERS: file('c', 'biz: {}') }), /VIOLA_TOKEN or VIOLA_TOKEN_FILE is required/],
	[
		'an empty token file',
		() => ({ VIOLA_CLUSTERS: file('c', 'biz: {}'), VIOLA_TOKEN_FILE: file('t', '\n') }),
		/VIOLA_TOKEN_FILE.*is empty/,
	],
	['no clusters', () => ({ VIOLA_TOKEN: 't' }), /VIOLA_CLUSTERS is required/],
	['a clusters file that does not exist', () => ({ VIOLA_TOKEN: 't', VIOLA_CLUSTERS: '/nowhere' }), /VIOLA_CLUSTERS: ENOENT/],
	['an invalid clusters file', () => ({ VIOLA_TOKEN: 't', VIOLA_CLUSTERS: file('d', 'biz: 5') }), /VIOLA_CLUSTERS: .*biz: /],
	[
		'an address without a port',
		() => ({ VIOLA_TOKEN: 't', VIOLA_CLUSTERS: file('c', 'biz: {}'), VIOLA_ADDR: 'host' }),
		/VIOLA_ADDR: must be host:port/,
	],
])('with %s, viola does not start and names the variable', (_, env, words) => {
	expect(() => readConfig(env())).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringMatching(words) }))
})

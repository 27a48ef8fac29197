import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { GoDuration } from '../../../contract/openstack-config.ts'
import { ObjectName, parseDuration } from '../../../runtime/env.ts'
import { readConfig } from '../../../mgmt/config.ts'
import { chart, values } from './rendered.ts'

/** The values of the chart, their schema, and the defaults of the processes. */

type Schema = {
	properties?: Record<string, Schema>
	$ref?: string
	definitions?: Record<string, Schema>
	pattern?: string
	maxLength?: number
}
const read = (file: string) => readFileSync(`${chart}/${file}`, 'utf8')
const schema = JSON.parse(read('values.schema.json')) as Schema

test('every value is in the schema, and every property of the schema has a default', () => {
	expect(paths(values)).toEqual(schemaPaths(schema).filter(path => path !== 'global'))
})

test('every value has a comment, or its group has one', () => {
	const lines = read('values.yaml').split('\n')
	const bare = lines.filter((line, at) => /^ *[A-Za-z]+:/.test(line) && !isExplained(lines, at))
	expect(bare).toEqual([])
})

test('the chart has the version of the package, and the Kubernetes version of the other chart', () => {
	const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
	const { kubeVersion } = parse(readFileSync('charts/multinic/Chart.yaml', 'utf8')) as { kubeVersion: string }
	expect(parse(read('Chart.yaml'))).toMatchObject({ version, appVersion: version, kubeVersion })
})

test('a definition of both charts is the same in both', () => {
	const other = JSON.parse(readFileSync('charts/multinic/values.schema.json', 'utf8')) as Schema
	const shared = Object.keys(schema.definitions ?? {}).filter(name => other.definitions?.[name] && name !== 'quantities')
	expect(shared.length).toBeGreaterThan(8)
	for (const name of shared) expect(schema.definitions?.[name], name).toEqual(other.definitions?.[name])
})

test.each<[value: string, field: keyof ReturnType<typeof readConfig>]>([
	['mgmt.port', 'port'],
	['mgmt.poll.fastInterval', 'POLL_FAST_INTERVAL'],
	['mgmt.poll.fastWindow', 'POLL_FAST_WINDOW'],
	['mgmt.poll.slowInterval', 'POLL_SLOW_INTERVAL'],
	['mgmt.poll.errorInterval', 'POLL_ERROR_INTERVAL'],
	['contrabass.timeout', 'CONTRABASS_TIMEOUT'],
	['contrabass.insecureTLS', 'CONTRABASS_INSECURE_TLS'],
	['openstack.timeout', 'OPENSTACK_TIMEOUT'],
	['openstack.insecureTLS', 'OPENSTACK_INSECURE_TLS'],
	['openstack.endpointInterface', 'OPENSTACK_ENDPOINT_INTERFACE'],
	['openstack.endpointRegion', 'OPENSTACK_ENDPOINT_REGION'],
	['viola.timeout', 'VIOLA_TIMEOUT'],
	['viola.insecureTLS', 'VIOLA_INSECURE_TLS'],
])('the default of %s is that of mgmt', (path, field) => {
	const value = valueAt(path)
	expect(typeof value === 'string' ? (parseDuration(value) ?? value) : value).toEqual(readConfig({})[field])
})

test.each<[definition: string, accepts: (text: string) => boolean, tried: string[]]>([
	['duration', text => GoDuration.safeParse(text).success, ['30s', '1h30m', '1.5s', '0s', '', '5', '-1s', '5 m', '123456789s', '1d']],
	['namespace', text => ObjectName.max(63).safeParse(text).success, ['a', 'a-b', '', 'A', '-a', 'a'.repeat(63), 'a'.repeat(64)]],
	['optionalName', text => text === '' || ObjectName.safeParse(text).success, ['a', 'a.b-c', '', 'A_b', 'a,b', 'a'.repeat(254)]],
])('the values schema accepts the same %s as the processes', (definition, accepts, tried) => {
	const { pattern = '', maxLength = 0 } = schema.definitions?.[definition] ?? {}
	const taken = (text: string) => new RegExp(pattern).test(text) && text.length <= maxLength
	expect(tried.filter(text => taken(text) !== accepts(text))).toEqual([])
})

/** @param path dotted */
function valueAt(path: string): unknown {
	return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], values)
}

/** Values that Kubernetes defines and the chart only passes on. */
const isFree = (at: string) => /^(mgmt|viola)\.(resources|nodeSelector|affinity)$/.test(at)

/** Returns the dotted path of every leaf; an empty map is a leaf, and so is a list. */
function paths(value: unknown, at = ''): string[] {
	const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0 && !isFree(at)
	if (!isBranch) return [at]
	return Object.entries(value)
		.flatMap(([key, inner]) => paths(inner, at ? `${at}.${key}` : key))
		.sort()
}

function schemaPaths({ properties, $ref }: Schema, at = ''): string[] {
	const branches = $ref ? schema.definitions?.[$ref.split('/').at(-1) ?? '']?.properties : properties
	if (!branches || isFree(at)) return [at]
	return Object.entries(branches)
		.flatMap(([key, inner]) => schemaPaths(inner, at ? `${at}.${key}` : key))
		.sort()
}

/** A group (`image:`) is explained by its values, and Kubernetes defines requests and limits. */
function isExplained(lines: readonly string[], at: number): boolean {
	const isCommented = lines[at - 1]?.trim().startsWith('#') ?? false
	return isCommented || /:$|^ +(requests|limits): /.test(lines[at] ?? '')
}

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { parse } from 'yaml'
import { isNetworkOrBroadcast, parseCidr } from '../../contract/ip.ts'
import { NodeConfig } from '../../contract/node-config.ts'
import { OpenstackConfig } from '../../contract/openstack-config.ts'
import { readSpec } from '../../controller/model/read-spec.ts'
import { type ApiServer, startApiServer } from '../../lab/cluster/api-server.ts'
import { isFailure } from '../../runtime/errors.ts'
import { KubeClient } from '../../runtime/kube/client.ts'
import { defineKind, type KubeObject } from '../../runtime/kube/kind.ts'
import { putCrds } from '../mgmt/cluster.ts'
import { type Field, fieldsOf, MISSING, type Samples, type Schema, sampleOf, type Try, withField } from './bounds.ts'

/**
 * Tests every field of every CRD at and beyond its bounds: what the API server answers, and that the schema in contract/ decides the same.
 * What only that schema rejects, it rejects with a message that names the field.
 */

type Whole = { spec?: unknown; status?: unknown }
type Custom = KubeObject & Whole
type Crd = {
	spec: { group: string; names: { kind: string; plural: string }; versions: { name: string; schema: { openAPIV3Schema: Schema } }[] }
}

const crd = (file: string) => {
	const { spec } = parse(readFileSync(`crds/${file}.yaml`, 'utf8')) as Crd
	const [version] = spec.versions
	if (!version) throw new Error(`${file} has no version`)
	const kind = defineKind<Custom>({ ...spec.names, group: spec.group, version: version.name, namespaced: true })
	return { kind, schema: version.schema.openAPIV3Schema }
}

/** Addresses have separate rules; the rest is generated from the schema. `name` would have to follow `id`. */
const samples: Samples = {
	'spec.nodeName': () => 'bounds',
	'spec.interfaces[].id': position => position,
	'spec.interfaces[].name': () => undefined,
	'spec.interfaces[].macAddress': position => `fa:16:3e:00:00:${position.toString(16).padStart(2, '0')}`,
	'spec.interfaces[].mtu': () => 1_450,
	'spec.interfaces[].address': () => '10.0.0.23',
	'spec.interfaces[].cidr': () => '10.0.0.0/24',
	'spec.interfaces[].addresses[]': position => `10.0.1.${position + 1}/24`,
	'spec.interfaces[].gateway': () => '10.0.0.1',
	'spec.interfaces[].routes[].to': () => '10.1.0.0/16',
	'spec.interfaces[].routes[].via': () => '10.0.0.1',
}

const kinds = [
	{ ...crd('multinic.io_multinicnodeconfigs'), ours: NodeConfig },
	{ ...crd('multinic.example.com_openstackconfigs'), ours: OpenstackConfig },
]

let api: ApiServer
let client: KubeClient
const stored = new Map<string, string>()

beforeAll(async () => {
	api = await startApiServer()
	const headers = async () => ({ authorization: `Bearer ${api.token}` })
	client = new KubeClient({ server: api.server, tls: { ca: api.ca }, headers }, { fieldManager: 'test' })
	await putCrds(client)
	for (const { kind, schema } of kinds) {
		const spec = sampleOf(part(schema, 'spec'), 'spec', { ...samples, 'spec.nodeName': () => metadata.name })
		const made = await client.create(kind, { metadata, spec })
		stored.set(kind.kind, made.metadata.resourceVersion)
	}
})
afterAll(async () => {
	await client?.close()
	await api?.stop()
})

/** Of the object whose status is written. */
const metadata = { name: 'stored', namespace: 'default' }
const part = (schema: Schema, name: 'spec' | 'status') => schema.properties?.[name] ?? { type: 'object' as const }

describe.each(kinds.map(one => [one.kind.kind, one] as const))('%s', (_, { kind, schema, ours }) => {
	const whole = {
		spec: sampleOf(part(schema, 'spec'), 'spec', samples),
		status: sampleOf(part(schema, 'status'), 'status', samples),
	}
	const noSpec = { path: 'spec', tries: [{ what: 'left out', value: MISSING, fits: false }] }
	const fields = [noSpec, ...(['spec', 'status'] as const).flatMap(name => fieldsOf(part(schema, name), name, samples, name === 'spec'))]

	const objects = [...new Set(fields.map(({ path }) => path))].filter(path => isObject(whole, path))

	test('as generated is accepted by both', async () => {
		expect(await theirs(whole, 'spec')).toMatchObject({ said: '', answer: { spec: whole.spec } })
		expect(await theirs(whole, 'status')).toMatchObject({ said: '', answer: { status: whole.status } })
		expect(ours.safeParse(whole).error).toBeUndefined()
	})

	test.each(titled(fields))('%s', async (_, path, tries) => {
		const wrong: string[] = []
		for (const one of tries) wrong.push(...(await complaints(one, path)))
		expect(wrong).toEqual([])
	})

	if (kind.kind === 'MultiNicNodeConfig')
		test('both judge an address and the network that must contain it alike, whatever their text', async () => {
			const differ: unknown[] = []
			const tried = async (address: string, cidr: string) => {
				const object = withField(withField(whole, 'spec.interfaces[0].address', address), 'spec.interfaces[0].cidr', cidr)
				const { said } = await theirs(object, 'spec')
				const told = faults(object)
				if ((said === '') !== (told.length === 0) && !isBroadcast(address, cidr)) differ.push({ address, cidr, said, told })
			}
			for (const [address, cidr] of oddAddresses) await tried(address, cidr)
			await fc.assert(
				fc.asyncProperty(anyAddress, anyPrefix, anyAddress, (one, prefix, other) => tried(one, `${other}${prefix}`)),
				{ numRuns: 300 },
			)
			await fc.assert(
				fc.asyncProperty(anyAddress, anyPrefix, (one, prefix) => tried(one, `${one}${prefix}`)),
				{ numRuns: 300 },
			)
			expect(differ).toEqual([])
		})

	test.each(objects)('%s rejects an unknown field', async path => {
		const { said } = await theirs(withField(whole, `${path}.nobody`, 1), path)
		expect(said).toContain(`unknown field "${path}.nobody"`)
	})

	/** Returns what is wrong with the answers to one attempt. */
	async function complaints({ what, value, fits }: Try, path: string): Promise<string[]> {
		const object = withField(whole, path, value)
		const { said, answer } = await theirs(object, path)
		const told = faults(answer ?? object)
		const isNamed = told.some(fault => fault.startsWith(`${path}:`) || fault.startsWith(`${path}[`))
		const all: [boolean, string][] = [
			[said !== '' && !said.includes(path) && !isByRule(said), 'the API server does not name the field'],
			[fits !== false && said !== '' && !isByRule(said), 'the API server refuses what fits'],
			[!fits && said === '', 'the API server takes what does not fit'],
			[fits === 'dropped' && answer !== undefined && at(answer, path) !== undefined, 'the API server keeps it'],
			[told.length > 0 && !isNamed && !isByRule(said), 'ours does not name the field'],
			[!fits && told.length === 0 && !said.includes('date-time'), 'ours takes what does not fit'],
		]
		const words = `API server: ${said || 'taken'}. Ours: ${told.join('; ') || 'taken'}`
		return all.flatMap(([holds, complaint]) => (holds ? [`${what}: ${complaint}. ${words}`] : []))
	}

	/** @returns the error of the API server, or what it would have stored */
	async function theirs(object: Whole, path: string): Promise<{ said: string; answer?: Whole }> {
		try {
			const { spec, status } = await (path.startsWith('status') ? writeStatus(object) : create(object))
			return { said: '', answer: { spec, status } }
		} catch (error) {
			if (isFailure(error, 'INVALID', 'BAD_REQUEST')) return { said: error.message }
			throw error
		}
	}

	function create({ spec }: Whole) {
		return client.create(kind, { metadata: { ...metadata, name: nameFor(spec) }, spec }, { dryRun: true })
	}

	function writeStatus({ status }: Whole) {
		const resourceVersion = stored.get(kind.kind) ?? ''
		return client.replace(
			kind,
			{ metadata: { ...metadata, resourceVersion }, spec: whole.spec, status },
			{ subresource: 'status', dryRun: true },
		)
	}

	function faults(object: Whole): string[] {
		const { spec } = readSpec(object.spec)
		if ('fault' in spec) expect(spec.fault).toMatch(/^spec/)
		return (ours.safeParse(object).error?.issues ?? []).map(({ path, message }) => `${pathOf(path)}: ${message}`)
	}
})

const anyAddress = fc.oneof(
	fc.ipV4(),
	fc.ipV6(),
	fc.ipV4Extended(),
	fc.string({ unit: fc.constantFrom(...'0123456789af:.%'), maxLength: 20 }),
)
const anyPrefix = fc.oneof(
	fc.nat(140).map(length => `/${length}`),
	fc.constantFrom('', '/', '/-1', '/024', '/24/24', '/ 24', '/255.255.255.0'),
)
const oddAddresses: [address: string, cidr: string][] = [
	['10.0.0.023', '10.0.0.0/24'],
	['10.0.0.23', '10.0.0.00/24'],
	['10.0.0.23', '0.0.0.0/0'],
	['10.0.0.0', '10.0.0.0/24'],
	['10.0.0.255', '10.0.0.0/24'],
	['10.0.0.0', '10.0.0.0/31'],
	['224.0.0.1', '224.0.0.0/24'],
	['2001:db8::', '2001:db8::/64'],
	['2001:db8:0:0:0:0:0:0', '2001:db8::/64'],
	['2001:db8::', '2001:db8::/127'],
	['0.0.0.0', '0.0.0.0/0'],
	['10.0.0.23', '10.0.0.23/32'],
	['10.0.0.23', '10.0.0.0/024'],
	['10.0.0.23', '::/0'],
	['::ffff:10.0.0.23', '::/0'],
	['::ffff:a00:17', '::/0'],
	['fe80::1', 'fe80::/64'],
	['fe80::1%eth0', 'fe80::/64'],
	['FE80::1', 'fe80::/64'],
	['2001:db8::', '2001:db8::/128'],
	['2001:db8:0:0:0:0:0:1', '2001:db8::/32'],
	['2001:db8::0::1', '2001:db8::/32'],
	[':', '::/0'],
	['1::2:3:4:5:6:7:8', '::/0'],
	['::1.2.3.4', '::/0'],
]

/** Left to the other entry points: CEL has no arithmetic for it at a bounded cost. */
function isBroadcast(address: string, cidr: string): boolean {
	return !address.includes(':') && isNetworkOrBroadcast(`${address}/${parseCidr(cidr)?.length}`)
}

/** Returns whether a rule over several fields rejects it, and not its bounds. */
function isByRule(said: string): boolean {
	return /must be an IP address inside cidr|unicast address|must be an address with a prefix length|gateway must be|must equal metadata\.name/.test(
		said,
	)
}

/** A node config has the name of its node, if that is a valid object name. */
function nameFor(spec: unknown): string {
	const { nodeName } = (spec ?? {}) as { nodeName?: unknown }
	return typeof nodeName === 'string' && /^[a-z0-9]{1,253}$/.test(nodeName) ? nodeName : 'bounds'
}

function titled(fields: readonly Field[]): [string, string, readonly Try[]][] {
	return fields.map(({ path, tries }) => [tries.length === 1 ? `${path}, ${tries[0]?.what}` : path, path, tries])
}

function isObject(whole: unknown, path: string): boolean {
	const value = at(whole, path)
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at(object: unknown, path: string): unknown {
	const steps = path.split(/[.[\]]+/).filter(Boolean)
	return steps.reduce<unknown>((inner, step) => (inner as Record<string, unknown> | undefined)?.[step], object)
}

function pathOf(path: readonly PropertyKey[]): string {
	return path
		.map(step => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
		.join('')
		.replace(/^\./, '')
}

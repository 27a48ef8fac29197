import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import {
	ANNOTATION_PLAN,
	ANNOTATION_RETRY,
	ANNOTATION_VERIFY,
	FINALIZER,
	LABEL_NODE_NAME,
	REPORT_KEY,
	REPORT_MAX_BYTES,
} from '../../contract/names.ts'
import { rolloutOf } from '../../contract/rollout.ts'
import { AllowedPrefixes, PodNetworks, ProtectedNetworks } from '../../contract/chart-limits.ts'
import { RouteTableBase, RulePriorityBase } from '../../contract/bases.ts'
import { DEFAULT_POD } from '../../controller/act/agent-pod.ts'
import { ObjectName } from '../../runtime/env.ts'
import { readConfig } from '../../controller/config.ts'

type Schema = { properties?: Record<string, Schema>; $ref?: string; definitions?: Record<string, Schema> }

const read = (file: string) => readFileSync(`charts/multinic/${file}`, 'utf8')
const schema = JSON.parse(read('values.schema.json')) as Schema
const values = parse(read('values.yaml')) as Record<string, unknown>

test('every value is in the schema, and every property of the schema has a default', () => {
	expect(paths(values)).toEqual(schemaPaths(schema).filter(path => path !== 'global'))
})

test('every value has a comment', () => {
	const lines = read('values.yaml').split('\n')
	const bare = lines.filter((line, at) => /^ *[A-Za-z]+:/.test(line) && !isExplained(lines, at))
	expect(bare).toEqual([])
})

test('the chart has the version of the package', () => {
	const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
	expect(parse(read('Chart.yaml'))).toMatchObject({ version, appVersion: version })
})

test('the defaults for runs are those of the controller', () => {
	const config = readConfig({ NAMESPACE: 'a', AGENT_IMAGE: 'b' })
	expect(values.runs).toEqual({
		maxConcurrent: config.runs.maxConcurrentRuns,
		keepSeconds: config.runs.keepRunMs / 1_000,
		waitForDeviceSeconds: config.agent.waitForDeviceSeconds,
		commitTimeoutSeconds: config.agent.commitTimeoutSeconds,
		activeDeadlineSeconds: config.agent.activeDeadlineSeconds,
		checkInstanceId: config.runs.checkInstanceId,
		...config.agent.limits,
	})
})

test('the first route table and rule priority are those of the controller', () => {
	const { agent } = readConfig({ NAMESPACE: 'a', AGENT_IMAGE: 'b' })
	expect(values.agent).toMatchObject({ routeTableBase: agent.routeTableBase, rulePriorityBase: agent.rulePriorityBase })
})

test('the default resources and pod settings of the agent are those of the controller', () => {
	const { podLabels, podAnnotations, resources, tolerations, priorityClassName } = values.agent as Record<string, unknown>
	expect({ labels: podLabels, annotations: podAnnotations, resources, tolerations, priorityClassName }).toEqual(DEFAULT_POD)
})

type Bounds = { minimum: number; maximum: number; not?: { minimum: number; maximum: number } }

test.each([
	['routeTableBase', RouteTableBase, [-1, 0, 1, 100, 243, 244, 250, 253, 255, 256, 4_294_967_286, 4_294_967_287]],
	['rulePriorityBase', RulePriorityBase, [-1, 0, 1, 10, 11, 10_000, 32_756, 32_757, 32_766]],
] as const)('the values schema accepts the same %s as the agent', (key, ours, tried) => {
	const { minimum, maximum, not } = (schema as { properties: { agent: { properties: Record<string, Bounds> } } }).properties.agent
		.properties[key] as Bounds
	const isBetween = (value: number, bounds: { minimum: number; maximum: number }) => value >= bounds.minimum && value <= bounds.maximum
	const taken = (value: number) => isBetween(value, { minimum, maximum }) && !(not && isBetween(value, not))
	expect(tried.filter(value => taken(value) !== ours.safeParse(value).success)).toEqual([])
	expect(tried.filter(taken).length).toBeGreaterThan(1)
})

type Network = { if: Pattern; then: Pattern; else: Pattern; not?: Pattern }
type Pattern = { pattern: string }

test.each([
	['protectedNetworks', ProtectedNetworks],
	['podNetworks', PodNetworks],
	['allowMainTableRoutes', AllowedPrefixes],
] as const)('the values schema accepts the same networks in runs.%s as the controller', (key, ours) => {
	const { properties, definitions } = schema as { properties: { runs: { properties: Items } }; definitions: Record<string, Network> }
	const { $ref, ...inline } = properties.runs.properties[key]?.items ?? {}
	const items = ($ref ? definitions[$ref.split('/').at(-1) ?? ''] : inline) as Network
	const holds = ({ pattern }: Pattern, text: string) => new RegExp(pattern).test(text)
	const taken = (text: string) => holds(holds(items.if, text) ? items.then : items.else, text) && !(items.not && holds(items.not, text))
	expect(networks.filter(text => taken(text) !== ours.safeParse([text]).success)).toEqual([])
	expect(networks.filter(taken).length).toBeGreaterThan(1)
})

test('the values schema accepts the same names of Secrets as the controller', () => {
	const { pattern = '', maxLength = 0 } = (schema.definitions?.objectName ?? {}) as { pattern?: string; maxLength?: number }
	const tried = ['registry', 'a.b-c', 'a', 'Bad_Name', 'a,b', '-a', '', 'a'.repeat(253), 'a'.repeat(254)]
	const taken = (name: string) => new RegExp(pattern).test(name) && name.length <= maxLength
	expect(tried.filter(name => taken(name) !== ObjectName.safeParse(name).success)).toEqual([])
})

type Items = Record<string, { items: { $ref?: string } & Partial<Network> }>

const networks = [
	...['10.96.0.0/12', '10.96.0.1/12', '0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/2', '255.255.255.255/32', '10.2444.0.0/16', '256.0.0.0/8'],
	...['10.0.0.0/33', '10.0.0.0/08', '010.0.0.0/8', '10.0.0/8', '10.0.0.0', '10.0.0.0/', '10.0.0.0/8 ', '169.254.0.0/16', '169.254.9.0/24'],
	...['169.254.0.0/15', 'fd00::/8', 'FD00::1/64', '::/0', '8000::/1', '::/2', '::1/128', '::/129', 'fd00:::/64', '1::2::3/64', '1:2:3/64'],
	...[
		'1:2:3:4:5:6:7:8/128',
		'1:2:3:4:5:6:7::/112',
		'1:2:3:4:5:6:7:8:9/64',
		'12345::/64',
		'fe80::/10',
		'febf:1::/32',
		'fec0::/10',
		'fe80::/9',
	],
	...['::ffff:1.2.3.4/96', 'x', ''],
]

test('the defaults of the rollout are those of the contract', () => {
	expect(rolloutOf(undefined, undefined)).toMatchObject({ value: values.rollout })
})

test('the admission policy uses the report key and the maximum size of the contract', () => {
	const policy = read('templates/agent-admission.yaml')
	expect(policy).toContain(`variables.data['${REPORT_KEY}'])) <= ${REPORT_MAX_BYTES}"`)
})

test('the policies use the names of the contract for the metadata that the controller may change', () => {
	const policy = read('templates/controller-admission.yaml')
	const named = new Set(policy.match(/(?<=')multinic\.io\/[\w-]+(?=')/g))
	expect(named).toEqual(new Set([FINALIZER, LABEL_NODE_NAME, ANNOTATION_PLAN, ANNOTATION_RETRY, ANNOTATION_VERIFY]))
})

/** Returns the dotted path of every leaf; an empty map is a leaf, and so is a list. */
function paths(value: unknown, at = ''): string[] {
	const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0 && at !== free(at)
	if (!isBranch) return [at]
	return Object.entries(value)
		.flatMap(([key, inner]) => paths(inner, at ? `${at}.${key}` : key))
		.sort()
}

/**
 * Returns whether a comment above explains the line. A group (`image:`) is explained by its values, and Kubernetes defines requests
 * and limits.
 */
function isExplained(lines: readonly string[], at: number): boolean {
	const isCommented = lines[at - 1]?.trim().startsWith('#') ?? false
	return isCommented || /:$|^ +(requests|limits): /.test(lines[at] ?? '')
}

/** Values that Kubernetes defines and the chart only passes on. */
function free(at: string): string | undefined {
	return ['agent.resources', 'controller.resources', 'controller.nodeSelector', 'controller.affinity'].find(path => path === at)
}

function schemaPaths({ properties, $ref }: Schema, at = ''): string[] {
	const branches = $ref ? schema.definitions?.[$ref.split('/').at(-1) ?? '']?.properties : properties
	if (!branches || at === free(at)) return [at]
	return Object.entries(branches)
		.flatMap(([key, inner]) => schemaPaths(inner, at ? `${at}.${key}` : key))
		.sort()
}

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { nodeConfigCrd } from '../../contract/crds.ts'
import { waitForCrds } from '../../lab/cluster/wait-for-crds.ts'
import { type Cluster, chart, type Manifest, manifests, type Said, startCluster } from './release.ts'

/** Tests the chart as users distribute it: packaged with another version, as part of another chart, and over existing objects. */
const namespace = 'multinic-system'
const at = ['-n', namespace]
let cluster: Cluster
let dir: string

beforeAll(async () => {
	dir = mkdtempSync(join(tmpdir(), 'multinic-chart-'))
	cluster = await startCluster()
	succeeded(await cluster.kubectl(['create', 'namespace', namespace]))
}, 120_000)
afterAll(async () => {
	await cluster?.stop()
	rmSync(dir, { recursive: true, force: true })
})
beforeEach(() => async () => {
	await cluster.helm('uninstall', 'multinic', '--no-hooks', '--ignore-not-found', ...at)
})

describe.each([
	['a chart version with build metadata, as packaged by Flux', '0.1.0+53d9c5dffd49', '0.1.0'],
	['an application version with build metadata', '0.1.0', '0.1.0+53d9c5dffd49'],
	[
		'a version that is too long for a label and is truncated before a dot',
		`0.1.0-${'a'.repeat(47)}.${'b'.repeat(20)}`,
		`1.0.0-${'a'.repeat(56)}.${'b'.repeat(9)}`,
	],
])('%s', (_, version, appVersion) => {
	test('can be installed', async () => {
		succeeded(await cluster.helm('package', chart, '--version', version, '--app-version', appVersion, '-d', dir))
		succeeded(await cluster.helm('install', 'multinic', join(dir, `multinic-${version}.tgz`), ...at))
		const { all } = await cluster.kubectl(['get', 'deployment', 'multinic-controller', '-o', 'jsonpath={..image}', ...at])
		expect(all).toBe(`localhost/multinic-controller:${appVersion.replace('+', '_')}`)
	})
})

describe('in an umbrella chart', () => {
	const umbrella = (values: object): string => {
		const parent = mkdtempSync(join(dir, 'umbrella-'))
		const dependencies = [{ name: 'multinic', version: '0.1.0', condition: 'multinic.enabled' }]
		writeFileSync(join(parent, 'Chart.yaml'), stringify({ apiVersion: 'v2', name: 'umbrella', version: '1.0.0', dependencies }))
		writeFileSync(join(parent, 'values.yaml'), stringify(values))
		mkdirSync(join(parent, 'charts'))
		cpSync(chart, join(parent, 'charts/multinic'), { recursive: true })
		return parent
	}
	const kinds = async (values: object): Promise<string[]> => {
		const { all, exitCode } = await cluster.helm('template', 'platform', umbrella(values), ...at)
		expect(exitCode, all).toBe(0)
		return manifests(all).map(({ kind }) => kind)
	}

	test.each<[title: string, values: object]>([
		['if it is enabled by its condition', { multinic: { enabled: true } }],
		['with global values', { global: { imageRegistry: 'registry.example.com', deep: [1] }, multinic: { logLevel: 'debug' } }],
		['with its own values', { multinic: { enabled: true, controller: { nodeSelector: { zone: 'a' } } } }],
	])('the chart is rendered %s', async (_, values) => {
		expect(await kinds(values)).toContain('Deployment')
	})

	test('the chart is omitted if its condition is false', async () => {
		expect(await kinds({ multinic: { enabled: false } })).toEqual([])
	})

	test('the uninstall Job has the release name of the umbrella', async () => {
		const { all } = await cluster.helm('template', 'platform', umbrella({}), ...at)
		expect(JSON.stringify(manifests(all).find(({ kind }) => kind === 'Job'))).toContain('{"name":"RELEASE_NAME","value":"platform"}')
	})

	test('an unknown value below the name of the chart is rejected', async () => {
		const { all, exitCode } = await cluster.helm('template', 'platform', umbrella({ multinic: { controler: {} } }), ...at)
		expect(exitCode).not.toBe(0)
		expect(all).toContain("additional properties 'controler' not allowed")
	})
})

test('an installation over an existing CRD is rejected, and adopts it with --take-ownership', async () => {
	await cluster.kubectl(['delete', 'crd', 'multinicnodeconfigs.multinic.io', '--ignore-not-found'])
	const crd = parse(readFileSync('crds/multinic.io_multinicnodeconfigs.yaml', 'utf8')) as Manifest
	succeeded(await cluster.kubectl(['create', '-f', '-'], [crd]))
	await waitForCrds(cluster.admin, [nodeConfigCrd])
	const refused = await cluster.helm('install', 'multinic', chart, ...at)
	expect(refused.exitCode).not.toBe(0)
	expect(refused.all).toContain('invalid ownership metadata')
	succeeded(await cluster.helm('install', 'multinic', chart, '--take-ownership', ...at))
})

test('a second release in another namespace is rejected with the namespace of the first', async () => {
	succeeded(await cluster.helm('install', 'multinic', chart, ...at))
	const second = ['install', 'second', chart, '-n', 'second', '--create-namespace', '--take-ownership']
	const { all, exitCode } = await cluster.helm(...second)
	expect(exitCode).not.toBe(0)
	expect(all).toContain('MultiNIC is already installed in namespace multinic-system, and a cluster can have one release')
	succeeded(await cluster.kubectl(['delete', 'serviceaccount', 'multinic-controller', ...at])) // as after the deletion of its namespace
	succeeded(await cluster.helm(...second))
	succeeded(await cluster.helm('uninstall', 'second', '--no-hooks', '-n', 'second'))
	await cluster.kubectl(['delete', 'crd', 'multinicnodeconfigs.multinic.io']) // the second release owns it now
})

describe('an upgrade from a chart that lacks a value', () => {
	const older = () => {
		const old = join(mkdtempSync(join(dir, 'older-')), 'multinic')
		cpSync(chart, old, { recursive: true })
		const { monitoring: _, ...values } = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Record<string, unknown>
		writeFileSync(join(old, 'values.yaml'), stringify(values))
		rmSync(join(old, 'values.schema.json'))
		rmSync(join(old, 'templates/monitoring.yaml'))
		return old
	}

	test('keeps the values of the user with --reset-then-reuse-values', async () => {
		succeeded(await cluster.helm('install', 'multinic', older(), '--set', 'logLevel=debug', ...at))
		succeeded(await cluster.helm('upgrade', 'multinic', chart, '--reset-then-reuse-values', '--set', 'controller.replicas=2', ...at))
		const { all } = await cluster.helm('get', 'values', 'multinic', '-o', 'json', ...at)
		expect(JSON.parse(all)).toEqual({ logLevel: 'debug', controller: { replicas: 2 } })
	})

	test('is rejected with --reuse-values, which adds no new values', async () => {
		succeeded(await cluster.helm('install', 'multinic', older(), ...at))
		expect((await cluster.helm('upgrade', 'multinic', chart, '--reuse-values', ...at)).all).toContain("missing property 'monitoring'")
	})
})

function succeeded({ exitCode, all }: Said): void {
	expect(exitCode, all).toBe(0)
}

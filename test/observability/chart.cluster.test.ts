import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import { beforeAll, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { findKit } from '../../lab/kit/kit.ts'
import { asYaml, findPromtool } from './promtool.ts'
import { dashboard } from './queries.ts'

/** Tests how the chart renders rules and dashboard, with the real helm; needs no API server. */

type Manifest = { apiVersion: string; kind: string; metadata: { name: string; labels?: Record<string, string> } }
type PodMonitor = Manifest & { spec: { selector: { matchLabels: object }; podMetricsEndpoints: { port: string }[] } }
type Deployment = Manifest & {
	spec: { template: { metadata: { labels: object }; spec: { containers: { ports: { name: string }[] }[] } } }
}

const rules: object = parse(readFileSync('charts/multinic/rules/multinic.yaml', 'utf8'))

let helm: string
beforeAll(async () => {
	helm = (await findKit(['helm'])).helm
})

async function rendered(...sets: string[]): Promise<Manifest[]> {
	const args = ['template', 'multinic', 'charts/multinic', '-n', 'multinic-system', ...sets.flatMap(set => ['--set', set])]
	const { stdout } = await execa(helm, args)
	return parseAllDocuments(stdout).flatMap(document => (document.toJS() as Manifest | null) ?? [])
}

function only<T extends Manifest>(all: readonly Manifest[], is: (one: Manifest) => boolean): T {
	const [found, ...others] = all.filter(is)
	if (!found || others.length > 0) throw new Error(`${others.length + (found ? 1 : 0)} of them`)
	return found as T
}

test('the chart renders no monitoring objects by default', async () => {
	const all = await rendered()
	expect(all.filter(({ apiVersion, metadata }) => apiVersion.startsWith('monitoring') || metadata.labels?.grafana_dashboard)).toEqual([])
})

test('monitoring.enabled renders the rules of the file, and a PodMonitor for the metrics port', async () => {
	const all = await rendered('monitoring.enabled=true', 'monitoring.labels.release=prom')
	const rule = only(all, ({ kind }) => kind === 'PrometheusRule')
	expect(rule).toMatchObject({ apiVersion: 'monitoring.coreos.com/v1', spec: rules, metadata: { labels: { release: 'prom' } } })
	const monitor = only<PodMonitor>(all, ({ kind }) => kind === 'PodMonitor')
	const endpoint = { port: 'metrics', path: '/metrics', interval: '30s' }
	expect(monitor).toMatchObject({ metadata: { labels: { release: 'prom' } }, spec: { podMetricsEndpoints: [endpoint] } })
	const { metadata, spec } = only<Deployment>(all, ({ kind }) => kind === 'Deployment').spec.template
	expect(metadata.labels).toMatchObject(monitor.spec.selector.matchLabels)
	expect(spec.containers[0]?.ports.map(({ name }) => name)).toEqual([endpoint.port])
})

test('runbookBaseUrl converts the runbooks to links, and promtool still accepts the rules', async () => {
	const base = 'https://git.example.com/multinic/blob/main/'
	const all = await rendered('monitoring.enabled=true', `monitoring.runbookBaseUrl=${base}`)
	const { spec } = only<Manifest & { spec: object }>(all, ({ kind }) => kind === 'PrometheusRule')
	const urls = JSON.stringify(spec).match(/"runbook_url":"[^"]*"/g) ?? []
	expect(urls.length).toBeGreaterThan(10)
	expect(urls.filter(url => !url.startsWith(`"runbook_url":"${base}docs/operations.md#`))).toEqual([])
	const promtool = await findPromtool()
	const { all: said, exitCode } = await asYaml(spec, path => promtool(['check', 'rules', path]))
	expect(exitCode, said).toBe(0)
})

test('dashboards.enabled renders the file with the label that Grafana searches for', async () => {
	const all = await rendered('dashboards.enabled=true')
	const { kind, data } = only<Manifest & { data: Record<string, string> }>(
		all,
		({ metadata }) => metadata.labels?.grafana_dashboard === '1',
	)
	expect(kind).toBe('ConfigMap')
	expect(JSON.parse(data['multinic.json'] ?? '')).toEqual(dashboard)
})

test.each([
	['a base URL without a trailing slash', 'monitoring.runbookBaseUrl=https://example.com/docs', 'runbookBaseUrl'],
	['an invalid interval', 'monitoring.interval=soon', 'interval'],
	['an unknown value', 'dashboards.folder=x', 'folder'],
])('%s is rejected with the name of the field', async (_, set, field) => {
	await expect(rendered(set)).rejects.toThrow(field)
})

import { describe, expect, test } from 'vitest'
import { dashboard, type Panel, panelQueries, ruleQueries, unserved } from './queries.ts'

/** Tests the dashboard as far as possible without Grafana; rules.cluster.test.ts checks its queries with promtool. */

const { panels, templating } = dashboard
const shown = panels.filter(({ type }) => type !== 'row')

describe('a query uses only metrics and labels that a controller serves', () => {
	test.each([...panelQueries, ...ruleQueries].map(query => [query.where, query] as const))('%s', (_, query) => {
		expect(unserved(query)).toEqual([])
	})
})

test('a metric or label that is not served is reported', () => {
	const query = (expr: string, legend = '') => unserved({ where: '', expr, legend })
	expect(query('sum(multinic_nodes{state="Failed"})')).toEqual(['multinic_nodes'])
	expect(query('sum by (node) (multinic_node_configs{node="a"})')).toEqual(['multinic_node_configs{node}', 'node'])
	expect(query('rate(multinic_run_seconds_bucket[5m])')).toEqual([])
	expect(query('rate(multinic_run_changes_total_bucket[5m])')).toEqual(['multinic_run_changes_total_bucket'])
	expect(query('sum(multinic_node_configs)', '{{state}}')).toEqual(['{{state}} is aggregated away'])
})

test('data source and namespace are variables, and every query uses both', () => {
	expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
		['datasource', 'datasource'],
		['namespace', 'query'],
	])
	for (const { title, targets = [], datasource } of shown) {
		const sources = [datasource, ...targets.map(target => target.datasource)]
		for (const source of sources) expect(source?.uid, title).toMatch(/^\$\{datasource\}$/)
		expect(targets.length, title).toBeGreaterThan(0)
	}
	const selectors = panelQueries.flatMap(({ expr }) => expr.match(/\{[^}]*\}/g) ?? [])
	expect(selectors.filter(selector => !selector.includes('namespace=~"$namespace"'))).toEqual([])
})

test('Grafana can import the dashboard: unique ids, a current schema, no overlapping panels', () => {
	expect(dashboard).toMatchObject({ uid: 'multinic', title: 'MultiNIC' })
	expect(dashboard, 'an id belongs to one Grafana').not.toHaveProperty('id')
	expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39)
	expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
	expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([])
	const overlapping = panels.filter((one, index) => panels.slice(index + 1).some(other => overlap(one, other)))
	expect(overlapping.map(({ title }) => title)).toEqual([])
})

test('every panel has a title and a description', () => {
	expect(shown.filter(({ title, description }) => !title || !description).map(({ id }) => id)).toEqual([])
})

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
	return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

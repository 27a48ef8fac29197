import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { calm, configs, firing, groupOf, type Series, tables } from './alerts.ts'
import { asYaml, findPromtool, type Promtool } from './promtool.ts'
import { panelQueries } from './queries.ts'
import { controllerRegistry } from './served.ts'

/** Tests alerts and dashboard with Prometheus: series in, the names of firing alerts out. */

const rules = resolve('charts/multinic/rules/multinic.yaml')

let promtool: Promtool
beforeAll(async () => {
	promtool = await findPromtool()
})

test('promtool accepts the rules', async () => {
	const { all, exitCode } = await promtool(['check', 'rules', rules])
	expect(exitCode, all).toBe(0)
	expect(all).toContain('SUCCESS')
})

test('promtool accepts what a controller serves, and objects only to names of the library', async () => {
	const { all } = await promtool(['check', 'metrics'], await controllerRegistry().metrics())
	expect(all).not.toContain('error')
	expect(all.split('\n').filter(line => line && !line.startsWith('nodejs_'))).toEqual([])
})

describe.each(tables)('%s', (_, rows) => {
	test.each(rows)('%s', async (_title, series, minutes, fires) => {
		expect(await judge({ ...calm, ...series }, firing(minutes, fires))).toBe('')
	})
})

test.each([
	[4, []],
	[6, ['MultinicControllerDown']],
])('evaluates the alerts after %i minutes without a scrape target', async (minutes, fires) => {
	expect(await judge({ up: '0x400' }, firing(minutes, fires))).toBe('')
})

test('an alert names the reason and the number of node configs', async () => {
	const exp_alerts = [
		{
			exp_labels: { severity: 'warning', state: 'Failed', reason: 'InUse', job: 'multinic', namespace: 'multinic-system' },
			exp_annotations: {
				summary: 'Node configs are Failed: InUse',
				description: '2 node config(s) have been Failed for 30 minutes because of InUse. kubectl multinic get names them.',
				runbook_url: 'docs/operations.md#multinicnodeconfigfailed',
			},
		},
	]
	const alert_rule_test = [{ eval_time: '31m', alertname: 'MultinicNodeConfigFailed', exp_alerts }]
	expect(await judge({ ...calm, [configs('Failed', 'InUse')]: '2x400' }, { alert_rule_test })).toBe('')
})

test('promtool accepts every query of the dashboard', async () => {
	const queries = panelQueries.map(({ where, expr }, index) => ({ record: `panel:${index}`, expr: plain(expr), labels: { where } }))
	const { all, exitCode } = await asYaml({ groups: [{ name: 'dashboard', rules: queries }] }, path => promtool(['check', 'rules', path]))
	expect(exitCode, all).toBe(0)
	expect(all).toContain(`${queries.length} rules found`)
})

test('the first row of the dashboard shows a calm fleet as healthy', async () => {
	const said = {
		Leader: 1,
		Configured: 1,
		Failed: 0,
		'Stops the rollout': 0,
		Paused: 0,
		Waiting: 0,
		'Repairs, 24 h': 0,
		'Runs lost, 24 h': 0,
	}
	const promql_expr_test = Object.entries(said).map(([title, value]) => {
		const { expr = '' } = panelQueries.find(({ where }) => where === `${title} A`) ?? {}
		return { expr: plain(expr), eval_time: '60m', exp_samples: [{ labels: '{}', value }] }
	})
	expect(await judge(calm, { promql_expr_test })).toBe('')
})

test('every alert fires in one of the tables', () => {
	const { groups } = parse(readFileSync(rules, 'utf8')) as { groups: { rules: { alert: string }[] }[] }
	const names = groups.flatMap(group => group.rules.map(({ alert }) => alert))
	const fired = new Set([...tables.flatMap(([, rows]) => rows.flatMap(([, , , fires]) => fires)), 'MultinicControllerDown'])
	expect([...fired].sort()).toEqual(names.sort())
})

/** Replaces the variables of Grafana. */
function plain(expr: string): string {
	return expr.replaceAll('$__rate_interval', '5m').replaceAll('$namespace', '.*')
}

/** @returns the errors of promtool; empty if there are none */
async function judge(series: Series, expectations: object): Promise<string> {
	const file = { rule_files: [rules], evaluation_interval: '1m', tests: [groupOf(series, expectations)] }
	const { all, exitCode } = await asYaml(file, path => promtool(['test', 'rules', path]))
	return exitCode === 0 ? '' : all
}

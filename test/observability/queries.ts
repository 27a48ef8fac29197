import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { served } from './served.ts'

/** Every PromQL query that is shipped, and the metrics that it uses. */

export type Query = { where: string; expr: string; legend: string }
type Position = { x: number; y: number; w: number; h: number }
export type Panel = {
	id: number
	type: string
	title: string
	description?: string
	datasource?: { uid: string }
	gridPos: Position
	targets?: { refId: string; datasource: { uid: string }; expr: string; legendFormat: string }[]
}
export type Dashboard = {
	title: string
	uid: string
	schemaVersion: number
	panels: Panel[]
	templating: { list: { name: string; type: string }[] }
}

export const dashboard = JSON.parse(readFileSync('charts/multinic/dashboards/multinic.json', 'utf8')) as Dashboard

type Rules = { groups: { rules: { alert: string; expr: string }[] }[] }
const rules = parse(readFileSync('charts/multinic/rules/multinic.yaml', 'utf8')) as Rules

export const panelQueries: Query[] = dashboard.panels.flatMap(({ title, targets = [] }) =>
	targets.map(({ refId, expr, legendFormat }) => ({ where: `${title} ${refId}`, expr, legend: legendFormat })),
)
export const ruleQueries: Query[] = rules.groups.flatMap(group =>
	group.rules.map(({ alert, expr }) => ({ where: alert, expr, legend: '' })),
)

/** Labels that Prometheus adds to scraped metrics. */
const ofTarget = ['namespace', 'pod', 'container', 'endpoint', 'job', 'instance', 'le']

/** @returns metrics and labels of a query that no controller serves */
export function unserved({ expr, legend }: Query): string[] {
	const known = served()
	const of = (name: string) => known.find(one => one.name === name || (one.type === 'histogram' && isPartOf(name, one.name)))
	const metrics = [...expr.matchAll(/\b((?:[a-z]+_)+[a-z0-9]+)(?:\{([^}]*)\})?(?=[\s[){,]|$)/g)].filter(([word]) => !isWord(word))
	const used = metrics.flatMap(([, name = '', matchers = '']) => {
		const labels = [...matchers.matchAll(/(\w+)\s*(?:!=|=~|!~|=)/g)].map(([, label = '']) => label)
		const metric = of(name)
		return metric ? labels.filter(label => ![...metric.labels, ...ofTarget].includes(label)).map(label => `${name}{${label}}`) : [name]
	})
	const labels = new Set([...ofTarget, ...metrics.flatMap(([, name = '']) => of(name)?.labels ?? [])])
	const grouped = [...expr.matchAll(/\b(?:by|without|on)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
		list.split(',').map(label => label.trim()),
	)
	const shown = [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label = '']) => label)
	const lost = shown.filter(label => !/\bby\b/.test(expr) || !grouped.includes(label)).map(label => `{{${label}}} is aggregated away`)
	return [...used, ...grouped.filter(label => !labels.has(label)), ...lost]
}

function isPartOf(name: string, histogram: string): boolean {
	return ['_bucket', '_sum', '_count'].some(end => name === histogram + end)
}

/** Functions of PromQL, and text in matchers. */
function isWord(text: string): boolean {
	return /^(histogram_quantile|min_over_time|max_over_time|avg_over_time|multinic_controller)\b/.test(text)
}

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { served } from './served.ts'

/** Tests docs/metrics.md against what a controller serves. */

const page = readFileSync('docs/metrics.md', 'utf8')
const [own = '', others = ''] = page.split('\n## Other components\n')
const rows = [...own.matchAll(/^\| `([a-z_0-9]+)` \| (gauge|counter|histogram|summary) \| ([^|]*) \| ([^|]+) \| ([^|]+) \|$/gm)]
const documented = rows.map(([, name = '', type = '', labels = '']) => ({ name, type, labels: quoted(labels) }))

test('the page lists every served metric once, with its type and labels, and no other metric', () => {
	expect(sorted(documented)).toEqual(sorted(served()))
})

test('metrics of other components are listed separately and are not served', () => {
	const names = [...others.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name = '']) => name)
	expect(names).toEqual(expect.arrayContaining(['multinic_reconcile_total', 'multinic_operator_reconcile_total']))
	expect(served().filter(({ name }) => names.includes(name))).toEqual([])
})

test('every metric name in the text is in a table', () => {
	const named = [...page.matchAll(/\b(?:multinic|workqueue|rest_client|controller_runtime|leader_election)_[a-z_]+/g)].map(([name]) => name)
	const known = [...documented.map(({ name }) => name), ...[...others.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name)]
	expect(named.filter(name => !known.includes(name) && name !== 'multinic_')).toEqual([])
})

test('metric names follow Prometheus: base units, and _total only on counters', () => {
	const our = served().filter(({ name }) => name.startsWith('multinic_'))
	expect(our.filter(({ name, type }) => (type === 'counter') !== name.endsWith('_total'))).toEqual([])
	expect(our.filter(({ name, type }) => type === 'histogram' && !/_(seconds|bytes)$/.test(name))).toEqual([])
})

function quoted(text: string): string[] {
	return [...text.matchAll(/`([a-z_]+)`/g)].map(([, word = '']) => word)
}

function sorted<T extends { name: string }>(list: readonly T[]): T[] {
	return list.toSorted((a, b) => a.name.localeCompare(b.name))
}

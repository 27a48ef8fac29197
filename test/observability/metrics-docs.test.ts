import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { served } from './served.ts'

/** docs/metrics.md against what a controller serves. */

const page = readFileSync('docs/metrics.md', 'utf8')
const [own = '', others = ''] = page.split('\n## Other components\n')
const rows = [...own.matchAll(/^\| `([a-z_0-9]+)` \| (gauge|counter|histogram|summary) \| ([^|]*) \| ([^|]+) \| ([^|]+) \|$/gm)]
const documented = rows.map(([, name = '', type = '', labels = '']) => ({ name, type, labels: quoted(labels) }))

test('every metric that is served is on the page once, with its type and labels, and no other is', () => {
	expect(sorted(documented)).toEqual(sorted(served()))
})

test('metrics of other parts are named as such, and are not served', () => {
	const names = [...others.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, name = '']) => name)
	expect(names).toEqual(expect.arrayContaining(['multinic_reconcile_total', 'multinic_operator_reconcile_total']))
	expect(served().filter(({ name }) => names.includes(name))).toEqual([])
})

test('a name in the text is one of those in the tables', () => {
	const named = [...page.matchAll(/\b(?:multinic|workqueue|rest_client|controller_runtime|leader_election)_[a-z_]+/g)].map(([name]) => name)
	const known = [...documented.map(({ name }) => name), ...[...others.matchAll(/`([a-z_]+)`/g)].map(([, name = '']) => name)]
	expect(named.filter(name => !known.includes(name) && name !== 'multinic_')).toEqual([])
})

test('names are as Prometheus wants them: base units, and _total on counters alone', () => {
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

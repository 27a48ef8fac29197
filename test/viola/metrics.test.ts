import { readFileSync } from 'node:fs'
import { Registry } from '@prometheus-io/client'
import { expect, test } from 'vitest'
import { createViolaMetrics } from '../../viola/metrics.ts'

test('every metric of viola has its value and is documented', async () => {
	const registry = new Registry()
	const { setUp } = createViolaMetrics(registry)
	setUp('biz-1', true)
	setUp('biz-2', false)
	const text = await registry.metrics()
	expect(text).toContain('multinic_viola_cluster_up{provider="biz-1"} 1')
	expect(text).toContain('multinic_viola_cluster_up{provider="biz-2"} 0')
	const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
	const page = readFileSync('docs/metrics.md', 'utf8')
	expect(names.filter(name => !page.includes(`| \`${name}\` | viola`))).toEqual([])
})

import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { firing, groupOf, type Series } from '../../observability/alerts.ts'
import { asYaml, findPromtool } from '../../observability/promtool.ts'
import { chart } from './rendered.ts'

/** Which alerts fire for which series, with promtool of Prometheus. */

const rules = resolve(`${chart}/rules/multinic-mgmt.yaml`)
const up = (replica: string) => `multinic_viola_cluster_up{provider="biz-1", pod="${replica}"}`
const connections = (replica: string) => `multinic_active_db_connections{namespace="multinic-mgmt", pod="${replica}"}`

test('promtool accepts the rules', async () => {
	const promtool = await findPromtool()
	const { all, exitCode } = await promtool(['check', 'rules', rules])
	expect(exitCode, all).toBe(0)
})

test.each<[title: string, series: Series, minutes: number, fires: string[]]>([
	['all is well', { [up('a')]: '1x30', [connections('a')]: '1x30' }, 20, []],
	['a cluster is down for a moment', { [up('a')]: '0x30' }, 4, []],
	['a cluster is down', { [up('a')]: '0x30', [up('b')]: '0x30' }, 6, ['MultinicViolaClusterDown']],
	['only one viola cannot reach it', { [up('a')]: '0x30', [up('b')]: '1x30' }, 20, []],
	['a cluster returned', { [up('a')]: '0x10 1x20' }, 20, []],
	['the database is down', { [connections('a')]: '0x30', [connections('b')]: '0x30' }, 11, ['MultinicInventoryUnavailable']],
	['the database is down for a moment', { [connections('a')]: '0x30' }, 9, []],
	['a standby has no connection', { [connections('a')]: '0x30', [connections('b')]: '3x30' }, 20, []],
])('%s', async (_, series, minutes, fires) => {
	const promtool = await findPromtool()
	const tests = { rule_files: [rules], evaluation_interval: '1m', tests: [groupOf(series, firing(minutes, fires))] }
	const { all, exitCode } = await asYaml(tests, path => promtool(['test', 'rules', path]))
	expect(exitCode, all).toBe(0)
})

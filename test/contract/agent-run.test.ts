import { describe, expect, test } from 'vitest'
import { AgentReport } from '../../contract/agent-run.ts'
import { REPORT_BOUNDS } from '../../contract/names.ts'
import { parseBounded } from '../../runtime/bounded-json.ts'
import { faultsIn } from '../../runtime/faults.ts'
import { nicReport, report } from '../controller/world.ts'

const drift = { attribute: 'mtu' as const, wanted: '1450', found: '1500' }
const probe = { name: 'api', ok: true, milliseconds: 1 }
const whole: AgentReport = report({
	plan: {
		commands: ['ip link'],
		links: { if7: 'ens7' },
		files: [{ path: '/etc/a', action: 'create' }],
		disruption: { class: 'None', because: '' },
	},
	interfaces: [
		nicReport({
			observed: { link: 'ens7', addresses: ['10.0.0.23/24'] },
			warnings: [{ reason: 'GatewaySilent', message: '' }],
			done: ['mtu'],
			drift: [drift],
		}),
	],
	notRemoved: [{ name: 'multinic4', macAddress: 'fa:16:3e:00:00:04', reason: 'InUse', message: '' }],
	probes: { before: [probe], after: [probe] },
	notes: ['one'],
	drift: [drift],
})

/** Content that a node that may write anything puts into a list; each fits into a report. */
const fillings: Record<string, unknown[]> = {
	'empty objects': Array(4_900).fill({}),
	numbers: Array(9_000).fill(0),
	'empty lists': Array(4_900).fill([]),
	texts: Array(9_000).fill(''),
}

describe('a report with any list or table full of arbitrary content is rejected with bounded work', () => {
	const paths = listsIn(whole)
	test('these are all lists and tables', () => {
		expect(paths.map(path => path.join('.'))).toEqual([
			'milliseconds',
			'interfaces',
			'interfaces.0.warnings',
			'interfaces.0.observed.addresses',
			'interfaces.0.done',
			'interfaces.0.drift',
			'probes.before',
			'probes.after',
			'plan.commands',
			'plan.links',
			'plan.files',
			'notRemoved',
			'notes',
			'drift',
		])
	})

	for (const path of paths)
		test.each(Object.entries(fillings))(`${path.join('.')} with %s`, (_, items) => {
			const text = JSON.stringify(replaced(whole, path, isTable(path) ? Object.fromEntries(items.entries()) : items))
			const json = parseBounded(text, { ...REPORT_BOUNDS, bytes: 1 << 20 })
			const { error } = AgentReport.safeParse('value' in json ? json.value : expect.unreachable(json.fault))
			expect(error?.issues).toHaveLength(1)
			expect(faultsIn(error ?? expect.unreachable())).toMatch(/^[\w.[\]]+: .{5,60}$/)
		})

	test('ten interfaces with full lists have a bounded number of faults', () => {
		const nic = { warnings: Array(16).fill({}), done: Array(64).fill(0), drift: Array(64).fill({}) }
		const { error } = AgentReport.safeParse({ interfaces: Array(10).fill(nic) })
		expect(error?.issues.length).toBeLessThan(3_000)
		expect(faultsIn(error ?? expect.unreachable())).toMatch(/; and \d+ more$/)
	})
})

function isTable(path: readonly (string | number)[]): boolean {
	return ['milliseconds', 'links'].includes(String(path.at(-1)))
}

function listsIn(value: unknown, path: (string | number)[] = []): (string | number)[][] {
	if (typeof value !== 'object' || value === null) return []
	const inner = Object.entries(value).flatMap(([key, one]) => listsIn(one, [...path, Array.isArray(value) ? Number(key) : key]))
	return Array.isArray(value) || isTable(path) ? [path, ...inner] : inner
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], by: unknown): unknown {
	if (key === undefined) return by
	if (Array.isArray(value)) return value.with(Number(key), replaced(value[Number(key)], rest, by))
	return { ...(value as object), [key]: replaced((value as Record<string, unknown>)[key], rest, by) }
}

import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { fleetOf } from '../../cli/model/fleet.ts'
import { age } from '../../cli/render/age.ts'
import { coloursFor } from '../../cli/render/colours.ts'
import { byInterest, clip, fleetFrame, redraw } from '../../cli/render/frame.ts'
import { historyTable } from '../../cli/render/history.ts'
import { nodePage } from '../../cli/render/node-page.ts'
import { changeKey, nodeRow, nodesHeader } from '../../cli/render/node-table.ts'
import { table } from '../../cli/render/columns.ts'
import type { ConfigView } from '../../cli/model/node-config-view.ts'
import { rolloutOf } from '../../contract/rollout.ts'
import { ago, config, configured, failed, now, ready, rolledBack, running, waiting } from './fixtures.ts'

const colours = coloursFor(false)
const settings = rolloutOf({ maxUnavailable: '1' }, undefined)

function view(configs: readonly ConfigView[], isWide = false) {
	return { fleet: fleetOf(configs, new Set(), settings), now, colours, isWide }
}

function text(lines: readonly string[]): string {
	return `\n${lines.join('\n')}\n`
}

test.each<[seconds: number, said: string]>([
	[0, '0s'],
	[119, '119s'],
	[180, '3m'],
	[200, '3m20s'],
	[11 * 60 + 5, '11m'],
	[4 * 3_600 + 60, '4h1m'],
	[20 * 3_600, '20h'],
	[3 * 86_400 + 3_600, '3d1h'],
	[30 * 86_400, '30d'],
	[800 * 86_400, '2y70d'],
	[-5, '0s'],
	[Number.NaN, '<unknown>'],
])('%s s ago is printed as %s', (seconds, said) => {
	expect(age(seconds * 1_000)).toBe(said)
})

describe('the table', () => {
	const fleet = [
		config('worker-1', configured, { status: { interfaces: '2/2' } }),
		config('worker-2', running, { status: { interfaces: '0/2' } }),
		config('worker-3', failed, { status: { interfaces: '1/2' } }),
		config('worker-4', waiting, { status: { interfaces: '0/2' } }),
		config('worker-5', waiting, { status: { interfaces: '0/2' } }),
		config('worker-6'),
	]

	test('has the format of kubectl, with queue positions', () => {
		expect(text(table([nodesHeader(false), ...fleet.map(one => nodeRow(one, view(fleet)))]))).toBe(`
NODE       STATE        INTERFACES   REASON                    AGE
worker-1   Configured   2/2          AllInterfacesConfigured   3m
worker-2   InProgress   0/2          RunStarted                3m
worker-3   Failed       1/2          PartlyFailed              3m
worker-4   Pending      0/2          Waiting 1 of 2            3m
worker-5   Pending      0/2          Waiting 2 of 2            3m
worker-6   Pending      0/2          -                         3m
`)
	})

	test('has more columns if it is wide', () => {
		const drifted = { type: 'Drifted', status: 'True' as const, reason: 'Drifted', message: '', lastTransitionTime: ago(9) }
		const status = {
			...{ interfaces: '2/2', backend: 'netplan-networkd', lastJobName: 'multinic-agent-w-g3' },
			conditions: [ready(configured), drifted, { ...drifted, type: 'Persistent' }],
		}
		const one = config('w', configured, { status })
		expect(text(table([nodesHeader(true), nodeRow(one, view([one], true))]))).toBe(`
NODE   STATE        INTERFACES   REASON                    AGE   BACKEND            GENERATION   JOB                   DRIFTED   PERSISTENT   MESSAGE
w      Configured   2/2          AllInterfacesConfigured   3m    netplan-networkd   3            multinic-agent-w-g3   True      True         2 of 2 interfaces are configured.
`)
	})

	test('keeps its columns with colour', () => {
		const rows = fleet.map(one => nodeRow(one, { ...view(fleet), colours: coloursFor(true) }))
		const bare = table([nodesHeader(false), ...rows]).map(stripVTControlCharacters)
		expect(bare).toEqual(table([nodesHeader(false), ...fleet.map(one => nodeRow(one, view(fleet)))]))
	})

	test('contains no control characters', () => {
		expect(table([['a\u001b[2Jb\nc', 'd\u0007']])).toEqual(['a [2Jb c   d '])
	})

	test.each<[title: string, other: ConfigView, isNews: boolean]>([
		['only another time', config('a', configured), false],
		['another state', config('a', failed), true],
		['another generation', config('a', configured, { metadata: { name: 'a', generation: 4 } }), true],
		['another message', config('a', { ...configured, message: 'other' }), true],
	])('whether a row is printed again for %s', (_, other, isNews) => {
		expect(changeKey(other) !== changeKey(config('a', configured))).toBe(isNews)
	})
})

test('the page of one node shows its interfaces, conditions and next step', () => {
	const nic = { id: 0, name: 'multinic0', macAddress: 'fa:16:3e:37:c3:f1', message: 'as wanted', lastConfigured: ago(40) }
	const late = { id: 1, name: 'multinic1', macAddress: 'fa:16:3e:04:92:c6', message: 'no link has MAC fa:16:3e:04:92:c6 yet.' }
	const one = config('worker-3', failed, {
		status: {
			...{ interfaces: '1/2', backend: 'netplan-networkd', lastJobName: 'multinic-agent-worker-3-g3' },
			interfaceStatuses: [
				{
					...nic,
					status: 'Configured',
					reason: 'Configured',
					observed: { link: 'multinic0', mtu: 1450, up: true, addresses: ['10.0.0.23/24'] },
				},
				{ ...late, status: 'Failed', reason: 'WaitingForDevice' },
			],
		},
	})
	expect(text(nodePage(one, view([one])))).toBe(`
worker-3   Failed   1/2   PartlyFailed
generation 3, created 3m ago, backend netplan-networkd, last run multinic-agent-worker-3-g3
multinic1: no link has the MAC yet.

Interfaces
  multinic0   Configured   fa:16:3e:37:c3:f1   Configured
    as wanted
    is multinic0, up, mtu 1450, 10.0.0.23/24; configured 40s ago
  multinic1   Failed   fa:16:3e:04:92:c6   WaitingForDevice
    no link has MAC fa:16:3e:04:92:c6 yet.
    not observed; never configured

Conditions
  Ready   False   PartlyFailed   60s   multinic1: no link has the MAC yet.

Next
  It is retried automatically. To retry now: kubectl multinic retry worker-3
`)
})

test('the page of a node that was not observed yet states that', () => {
	const one = config('new', undefined, { spec: { paused: true, mode: 'Plan' } })
	expect(text(nodePage(one, view([one])))).toBe(`
new   Pending
generation 3, created 3m ago, mode Plan, paused

Interfaces
  none known yet

Conditions
  none yet

Next
  It is paused. Resume with: kubectl multinic resume new
`)
})

describe('a node without reported interfaces', () => {
	const none = { spec: { interfaces: [] } }
	const removalFailed = { state: 'Failed' as const, reason: 'InUse', message: 'the removal of multinic0 (fa:16:3e:37:c3:f1): br0 has it.' }
	test.each<[title: string, one: ConfigView, words: string]>([
		['shows that it was not observed', config('a'), 'none known yet'],
		['shows that its generation was not observed', config('a', configured, { metadata: { name: 'a', generation: 4 } }), 'none known yet'],
		[
			'shows that no interface is desired',
			config('a', { state: 'Configured', reason: 'NoInterfaces' }, none),
			'none requested, and none left on the node',
		],
		[
			'shows that no interface is desired, but the removal failed',
			config('a', removalFailed, none),
			'none requested, but the removal is not confirmed: see above',
		],
		['shows that no interface is desired during the removal', config('a', running, none), 'none requested'],
		[
			'shows that the node config is invalid',
			config('a', { state: 'Failed', reason: 'InvalidConfig' }),
			'unknown: the node config is invalid, and the node is left unchanged',
		],
	])('%s', (_, one, words) => {
		expect(text(nodePage(one, view([one])))).toContain(`\nInterfaces\n  ${words}\n`)
	})
})

test('the history is newest first, even if the clock of the node was set back', () => {
	const run = { generation: 2, changes: 9, result: 'Configured' as const }
	const why = { cause: 'Drifted', failureReason: 'RunLost' }
	const entries = [
		{ ...run, generation: 3, job: 'multinic-agent-w-g3', started: ago(7_200), seconds: 4, changes: 0, result: 'Failed' as const, ...why },
		{ ...run, job: 'multinic-agent-w-g2', started: ago(60), seconds: 1.9 },
	]
	expect(text(historyTable(entries, now, colours))).toBe(`
STARTED   GENERATION   CAUSE     RESULT       REASON    CHANGES   TOOK    JOB
120m      3            Drifted   Failed       RunLost   0         4 s     multinic-agent-w-g3
60s       2            -         Configured   -         9         1.9 s   multinic-agent-w-g2
`)
})

describe('a terminal', () => {
	const many = Array.from({ length: 1_000 }, (_, at) => {
		const name = `w-${String(at).padStart(3, '0')}`
		if (at === 500) return config(name, failed)
		return at === 998 ? config(name, running) : config(name, at < 400 ? configured : waiting)
	})

	test('shows as many of 1,000 nodes as fit, with the most relevant first', () => {
		expect(text(fleetFrame(many, view(many), 9))).toBe(`
Rollout: 401 of 1000 finished, 1 running, 598 queued: the wave is full (at most 1 node)
1000 nodes: 400 Configured, 1 InProgress, 598 Pending, 1 Failed
NODE    STATE        INTERFACES   REASON             AGE
w-998   InProgress   0/2          RunStarted         3m
w-500   Failed       0/2          PartlyFailed       3m
w-400   Pending      0/2          Waiting 1 of 598   3m
w-401   Pending      0/2          Waiting 2 of 598   3m
w-402   Pending      0/2          Waiting 3 of 598   3m
… and 995 more
`)
	})

	test('shows recently processed nodes first', () => {
		const done = (name: string, seconds: number) => config(name, configured, { status: { lastProcessed: ago(seconds) } })
		const some = [done('a', 9), done('b', 3), done('c', 5)]
		expect(byInterest(some, view(some).fleet).map(({ name }) => name)).toEqual(['b', 'c', 'a'])
	})

	test('shows the node that stops the rollout first', () => {
		const some = [config('a', running), config('b', failed), config('c', rolledBack), config('d', waiting)]
		expect(byInterest(some, view(some).fleet).map(({ name }) => name)).toEqual(['c', 'a', 'b', 'd'])
	})

	test.each<[title: string, before: string[], after: string[]]>([
		['the first frame', [], ['a', 'b']],
		['no change', ['a', 'b'], ['a', 'b']],
		['a change of the first line', ['a', 'b', 'c'], ['x', 'b', 'c']],
		['a change of a line in the middle', ['a', 'b', 'c'], ['a', 'x', 'c']],
		['a change of the last line', ['a', 'b', 'c'], ['a', 'b', 'x']],
		['a change of two separate lines', ['a', 'b', 'c', 'd'], ['x', 'b', 'c', 'y']],
		['additional lines', ['a'], ['a', 'b', 'c']],
		['fewer lines', ['a', 'b', 'c'], ['a']],
		['fewer and different lines', ['a', 'b', 'c'], ['x', 'b']],
		['the removal of all lines', ['a'], []],
	])('after %s shows the frame and nothing else', (_, before, after) => {
		expect(screen(redraw([], before) + redraw(before, after))).toEqual(after)
	})

	test('gets only the changed lines, and no output without a change', () => {
		expect(redraw(['a', 'b'], ['a', 'b'])).toBe('')
		expect(redraw(['a', 'b', 'c'], ['a', 'x', 'c'])).not.toMatch(/[abc]$/m)
	})

	test('never wraps a line: text that does not fit is truncated, and its colour is reset', () => {
		expect(clip('abcdef', 4)).toBe('abc…')
		expect(clip('abcd', 4)).toBe('abcd')
		expect(clip('\u001b[31mabcdef\u001b[39m gh', 4)).toBe('\u001b[31mabc…\u001b[39m')
	})
})

const ESC = '\u001b'
const parts = new RegExp(`${ESC}\\[(\\d*)([ABKJ])|\\r|\\n|[^${ESC}\\r\\n]+`, 'g')

/** Returns what a terminal shows after this text; implements only the sequences that `redraw` uses. */
function screen(text: string): string[] {
	const lines: string[] = ['']
	let row = 0
	const acts: Record<string, (count: number) => void> = {
		A(count) {
			row -= count
		},
		B(count) {
			row += count
		},
		K() {
			lines[row] = ''
		},
		J() {
			lines.length = row
		},
		'\n'() {
			row++
		},
		'\r': () => {},
	}
	for (const [part = '', count = '', act = part] of text.matchAll(parts)) {
		const known = acts[act]
		if (known) known(Number(count || 1))
		else lines[row] = (lines[row] ?? '') + part
	}
	return lines.slice(0, row)
}

import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { reasons } from '../../contract/reasons.ts'
import { rolloutOf, RolloutSettings } from '../../contract/rollout.ts'
import { mayHeal } from '../../contract/status.ts'
import { backoffMs } from '../../controller/model/runs.ts'

/** Tests docs/operations.md against what it describes. */

const path = 'docs/operations.md'
const page = readFileSync(path, 'utf8')
const chapters = Object.fromEntries(page.split(/^## /m).map(chapter => [titleOf(chapter), chapter]))
const sections = (chapter = '') => chapter.split(/^### /m).slice(1)
const explained = new Map(sections(chapters.Reasons).map(section => [titleOf(section), section]))

test('the page explains every reason once, in the order of the contract, and no other reason', () => {
	expect(sections(chapters.Reasons).map(titleOf)).toEqual(Object.keys(reasons))
})

describe('the page describes what the controller does next', () => {
	const failing = [...explained].filter(([, text]) => text.includes('`Failed`,') && !text.includes('`Failed`, repaired'))
	test.each(failing.filter(([reason]) => reason !== 'PartlyFailed'))('%s', (reason, text) => {
		const words = !mayHeal({ reason }) ? 'not retried until the node config changes' : waitsOf(reason)
		expect(text).toContain(words)
		expect(text.includes('`Failed`, stops the rollout')).toBe('stops' in (reasons[reason as keyof typeof reasons] ?? {}))
	})
	test('for every reason that stops a rollout', () => {
		const stopping = Object.entries(reasons).flatMap(([reason, facts]) => ('stops' in facts ? [reason] : []))
		expect(failing.map(([reason]) => reason)).toEqual(expect.arrayContaining(stopping))
	})
})

test('the page explains every alert once, in the order of the rules, and no other alert', () => {
	const { groups } = parse(readFileSync('charts/multinic/rules/multinic.yaml', 'utf8')) as {
		groups: { rules: { alert: string; for?: string; labels: { severity: string }; annotations: Record<string, string> }[] }[]
	}
	const rules = groups.flatMap(group => group.rules)
	expect(sections(chapters.Alerts).map(titleOf)).toEqual(rules.map(({ alert }) => alert))
	for (const { alert, annotations, labels, for: patience } of rules) {
		expect(annotations.runbook_url, alert).toBe(`${path}#${alert.toLowerCase()}`)
		expect(Object.keys(annotations), alert).toEqual(['summary', 'description', 'runbook_url'])
		expect(['critical', 'warning'], alert).toContain(labels.severity)
		expect(patience, alert).toMatch(/^\d+[mh]$/)
	}
})

test.each(['invalid settings', 'failed to acquire lease', 'reconcile failed', 'bug: a reconcile threw', 'list or watch failed'])(
	'the log message %s on the page exists in the code',
	message => {
		expect(page).toContain(message)
		const sources = globSync('{runtime,controller}/**/*.ts').map(file => readFileSync(file, 'utf8'))
		expect(sources.some(source => source.includes(message))).toBe(true)
	},
)

test('every setting of a rollout is in the table with its default', () => {
	const rows = [...page.matchAll(/^\| `(\w+)` \| `([^`]*)` \| .* \| .* \|$/gm)].map(([, key = '', value = '']) => [key, value])
	expect(rows.map(([key]) => key)).toEqual(Object.keys(RolloutSettings.shape))
	expect(rolloutOf(Object.fromEntries(rows), undefined)).toEqual(rolloutOf(undefined, undefined))
})

function waitsOf(reason: string): string {
	const waits = [1, 2, 3, 40].map(failures => backoffMs(failures, { reason }) / 1_000)
	const [one, two, three, longest] = 'stops' in (reasons[reason as keyof typeof reasons] ?? {}) ? waits.map(seconds => seconds / 60) : waits
	return `retried after ${one}, ${two}, ${three} … ${longest} ${longest === 60 ? 'min' : 's'}`
}

function titleOf(section: string): string {
	return section.split('\n')[0]?.trim() ?? ''
}

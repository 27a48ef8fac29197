import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isMap, parseDocument, type Scalar, type YAMLMap } from 'yaml'
import type * as z from 'zod'
import { withBlocks } from '../../docs/blocks.ts'
import { chart, values } from './rendered.ts'
import { type Component, insteadOf, ofPod, rows, schemas, withoutValue } from './variables.ts'

/**
 * The tables of docs/mgmt-install.md: the values from values.yaml, the variables from the schemas of the processes.
 * `node test/charts/mgmt/mgmt-docs.ts` generates them again.
 */

export const page = join(import.meta.dirname, '../../../docs/mgmt-install.md')

/** @returns key → text, as in the page */
export function made(): Record<string, string> {
	const document = parseDocument<YAMLMap<Scalar<string>>>(readFileSync(`${chart}/values.yaml`, 'utf8'))
	const all = document.contents ? explained(document.contents) : []
	const sections = Object.keys(values).filter(name => all.some(({ path }) => path.startsWith(`${name}.`)))
	const ofSection = (name: string) => all.filter(({ path }) => path.startsWith(`${name}.`))
	return {
		'values general': valueTable(all.filter(({ path }) => !path.includes('.') || path.startsWith('image.'))),
		...Object.fromEntries(sections.filter(name => name !== 'image').map(name => [`values ${name}`, valueTable(ofSection(name))])),
		'variables mgmt': variableTable('mgmt', all),
		'variables viola': variableTable('viola', all),
	}
}

type Explained = { path: string; meaning: string; default: unknown }

/**
 * Every value with the comment above it in values.yaml; the first one of a group also has the comment of the group. A map in one line, or
 * one that Kubernetes defines, is one value.
 */
function explained(map: YAMLMap<Scalar<string>>, at = '', ofGroup = ''): Explained[] {
	return map.items.flatMap(({ key, value }, index) => {
		const path = [at, key.value].filter(Boolean).join('.')
		const own = lastParagraph(key.commentBefore ?? (index === 0 ? map.commentBefore : undefined))
		const meaning = [index === 0 ? ofGroup : '', own].filter(text => text !== '').join(' ')
		if (isGroup(key.value, value)) return explained(value, path, at ? meaning : '')
		return [{ path, meaning, default: valueAt(path) }]
	})
}

function isGroup(name: string, value: unknown): value is YAMLMap<Scalar<string>> {
	return isMap(value) && !value.flow && name !== 'resources'
}

function lastParagraph(comment: string | null | undefined): string {
	const paragraph = (comment ?? '').split(/\n\s*\n/).at(-1) ?? ''
	return paragraph.replace(/\s+/g, ' ').trim()
}

function valueAt(path: string): unknown {
	return path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], values)
}

function valueTable(all: readonly Explained[]): string {
	const lines = all.map(one => `| \`${one.path}\` | ${code(shown(one.default))} | ${cell(one.meaning)} | ${variablesOf(one.path)} |`)
	return ['| value | default | meaning | variable |', '|---|---|---|---|', ...lines].join('\n')
}

function variablesOf(path: string): string {
	const names = new Set([...rows.mgmt, ...rows.viola].filter(({ value }) => value === path).map(({ variable }) => variable))
	return [...names].map(code).join(', ')
}

function variableTable(component: Component, all: readonly Explained[]): string {
	const own = schemas[component]
	const names = [...new Set([...Object.keys(own), ...rows[component].map(({ variable }) => variable)])].toSorted()
	const lines = names.map(name => {
		const row = rows[component].find(({ variable }) => variable === (insteadOf[name] ?? name))
		const meaning = own[name]?.description ?? all.find(({ path }) => path === row?.value)?.meaning ?? ''
		return `| \`${name}\` | ${code(defaultOf(own[name]))} | ${cell(meaning)} | ${sourceOf(name, row?.value)} |`
	})
	return ['| variable | default | meaning | value of the chart |', '|---|---|---|---|', ...lines].join('\n')
}

function sourceOf(name: string, value: string | undefined): string {
	if (ofPod.includes(name)) return 'set from the pod'
	if (withoutValue.includes(name)) return 'not set'
	return insteadOf[name] ? `\`${insteadOf[name]}\` instead` : code(value ?? '')
}

/** Returns the default that a schema declares, as it is written in the environment. */
function defaultOf(schema: z.ZodType | undefined): string {
	const def = schema?.def as { type: string; defaultValue?: unknown; innerType?: z.ZodType } | undefined
	if (!def) return ''
	if (def.type === 'default' || def.type === 'prefault') return shown(def.defaultValue)
	return def.innerType ? defaultOf(def.innerType) : ''
}

function shown(value: unknown): string {
	return typeof value === 'string' ? value : JSON.stringify(value)
}

function code(text: string): string {
	return text === '' ? '' : `\`${cell(text)}\``
}

function cell(text: string): string {
	return text.replaceAll('|', '\\|')
}

if (import.meta.main) writeFileSync(page, withBlocks(readFileSync(page, 'utf8'), made()))

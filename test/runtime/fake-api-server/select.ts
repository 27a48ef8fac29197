import type { FakeKind } from './kinds.ts'
import { type ApiObject, valueAt } from './object.ts'
import { badRequest, type Refusal } from './refusal.ts'

/** Returns whether an object is selected. */
export type Selects = (object: ApiObject) => boolean

type Selection = { namespace?: string | undefined; labelSelector: string; fieldSelector: string }

/**
 * Returns the filter of a list or a watch.
 *
 * @throws Refusal 400 if a selector is invalid, or names a field that field selectors do not support
 */
export function selectorOf(kind: FakeKind, { namespace, labelSelector, fieldSelector }: Selection): Selects {
	const tests = [...labelTests(labelSelector), ...fieldTests(kind, fieldSelector)]
	if (namespace !== undefined) tests.push(({ metadata }) => metadata.namespace === namespace)
	return object => tests.every(test => test(object))
}

const label = '[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?'
const equals = new RegExp(`^(${label})\\s*(==|!=|=)\\s*(\\S*)$`)
const among = new RegExp(`^(${label})\\s+(in|notin)\\s*\\(([^()]*)\\)$`)
const exists = new RegExp(`^(!?)\\s*(${label})$`)

function labelTests(text: string): Selects[] {
	const requirements = text.split(/,(?![^(]*\))/).map(part => part.trim())
	return requirements.filter(part => part !== '').map(labelTest)
}

function labelTest(requirement: string): Selects {
	const [, key = '', , operator, value = ''] = equals.exec(requirement) ?? among.exec(requirement) ?? []
	if (operator) {
		const values = operator.endsWith('in') ? value.split(',').map(one => one.trim()) : [value]
		const wanted = operator !== '!=' && operator !== 'notin'
		return ({ metadata }) => values.includes(metadata.labels?.[key] ?? absent) === wanted
	}
	const [, not, name = ''] = exists.exec(requirement) ?? []
	if (not === undefined) throw badRequest(`unable to parse requirement: ${requirement}`)
	return ({ metadata }) => (metadata.labels?.[name] === undefined) === (not === '!')
}

/** Stands for a missing label: no label has this value. */
const absent = '\0'

function fieldTests(kind: FakeKind, text: string): Selects[] {
	return text
		.split(',')
		.filter(part => part !== '')
		.map(part => {
			const [, path = '', operator = '', value = ''] = /^(.*?)(==|!=|=)(.*)$/.exec(part) ?? []
			if (!operator) throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`)
			const known = ['metadata.name', 'metadata.namespace', ...(kind.selectable ?? [])]
			if (!known.includes(path)) throw unknownField(kind, path, known)
			return object => (String(valueAt(object, path) ?? '') === value) === (operator !== '!=')
		})
}

function unknownField({ builtIn }: FakeKind, path: string, known: readonly string[]): Refusal {
	const words = builtIn ? `"${path}" is not a known field selector: only "${known.join('", "')}"` : `field label not supported: ${path}`
	return badRequest(words)
}

import { globSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { render, envOf } from './rendered.ts'
import { type Component, insteadOf, ofNode, ofPod, rows, schemas, withoutValue } from './variables.ts'

/** Compares the values of the chart with the variables that the processes read, in both directions. */

const components = ['mgmt', 'viola'] as const
const named = (component: Component) => [...new Set(rows[component].map(({ variable }) => variable))]

describe.each(components)('%s', component => {
	test.each(rows[component])('$variable is set by $value', async ({ variable, value, set, env, beside = {} }) => {
		const before = envOf(await render(beside), component)
		const after = envOf(await render({ ...beside, [value]: set }), component)
		expect(after[variable]).toBe(env)
		expect(before[variable]).not.toBe(env)
	})

	test('has a value of the chart for every variable that it reads', () => {
		const known = [...named(component), ...ofPod, ...withoutValue]
		const without = Object.keys(schemas[component]).filter(name => !known.includes(insteadOf[name] ?? name))
		expect(without).toEqual([])
	})

	test('gets no variable that the table does not name', async () => {
		const known = new Set([...named(component), ...ofPod])
		expect(Object.keys(envOf(await render(), component)).filter(name => !known.has(name))).toEqual([])
	})

	test('reads every variable that the chart sets', () => {
		const unread = named(component).filter(name => !(name in schemas[component]) && !ofNode.includes(name))
		expect(unread.filter(name => !notYetRead.includes(name))).toEqual([])
	})

	test('accepts every sample of a variable', () => {
		const rejected = rows[component].filter(({ variable, env }) => {
			const schema = schemas[component][variable]
			return schema && !isFile(env) && !schema.safeParse(env).success
		})
		expect(rejected).toEqual([])
	})
})

test('every variable in the sources of both processes is in a schema that this test knows', () => {
	const known = new Set(components.flatMap(component => Object.keys(schemas[component])))
	const sources = globSync(['{mgmt,viola}/**/*.ts', 'runtime/process.ts']).map(path => readFileSync(path, 'utf8'))
	const found = sources.flatMap(text => text.match(/(?<=^\t+)[A-Z][A-Z0-9]*(_[A-Z0-9]+)+(?=: (z\.|[A-Z][A-Za-z]+(\.|,$)))/gm) ?? [])
	expect(found.length).toBeGreaterThan(20)
	expect(found.filter(name => !known.has(name))).toEqual([])
})

/** A file exists only in the pod. */
const isFile = (env: string) => env.startsWith('/etc/multinic/')

/** Set by the chart before the part of the process that reads them: authentication, targets and inventory. */
const notYetRead = [
	...['VIOLA_AUTH', 'VIOLA_CLIENTS', 'VIOLA_TLS_DIR', 'VIOLA_KUBE_AUTH', 'VIOLA_SECRETS_NAMESPACE', 'MGMT_REPLICAS'],
	...['INVENTORY_ENABLED', 'INVENTORY_ADDR', 'INVENTORY_DB_PATH', 'INVENTORY_AUTH', 'INVENTORY_CLIENTS', 'INVENTORY_TLS_DIR'],
	...['INVENTORY_KUBE_AUTH', 'INVENTORY_TOKEN_FILE'],
	...['DB_HOST', 'DB_PORT', 'DB_NAME', 'DB_USER', 'DB_USER_FILE', 'DB_PASSWORD_FILE', 'DB_CA_FILE'],
]

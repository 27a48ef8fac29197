import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'

/** Enforces the structure of the code: which room may import which, which files are pure, and how large a file may be. */

const rooms = ['contract', 'runtime', 'mgmt', 'viola', 'operator', 'controller', 'agent', 'cli', 'console', 'lab']
const mayImport: Record<string, string[]> = {
	contract: [],
	runtime: [],
	lab: rooms,
}
const sources = rooms.flatMap(room => globSync(`${room}/**/*.ts`)).map(path => path.replaceAll('\\', '/'))

/** Files that decide: they take time, randomness and the environment as arguments. */
const pureNames =
	/^agent\/retry\.ts$|(^|\/)(decide|plan|select|naming|changes|cadence|settings|remotes|(disclosure\/(origin|hosts|providers))|manifest|routing|status|match|preflight|rename|snapshot|recipe|ip|names|reasons|suspects|diff|disruption|drift|verdict|words|(plan|persist|render)\/[\w-]+)\.ts$/
const impure = /\bawait\b|\basync\b|Date\.now|new Date\(\)|Math\.random|\bprocess\.|from 'node:/

describe('a room imports only contract, runtime and itself', () => {
	test.each(sources)('%s', path => {
		const room = path.split('/')[0] ?? ''
		const allowed = new Set([room, ...(mayImport[room] ?? ['contract', 'runtime'])])
		expect(importedRooms(path).filter(other => !allowed.has(other))).toEqual([])
	})
})

describe('contract imports only zod', () => {
	test.each(sources.filter(path => path.startsWith('contract/') && path !== 'contract/write-yaml.ts'))('%s', path => {
		expect(specifiers(path).filter(from => !from.startsWith('.') && from !== 'zod')).toEqual([])
	})
})

describe('the agent imports only zod and project code', () => {
	test.each(sources.filter(path => path.startsWith('agent/')))('%s', path => {
		expect(specifiers(path).filter(from => !/^(\.|node:)/.test(from) && from !== 'zod')).toEqual([])
		expect(specifiers(path).filter(from => from.includes('/runtime/') && !/\/(errors|faults)\.ts$/.test(from))).toEqual([])
	})
})

describe('files that decide are pure', () => {
	test.each(sources.filter(path => pureNames.test(path) && !path.startsWith('lab/')))('%s', path => {
		expect(code(path)).not.toMatch(impure)
	})
})

describe('a file has at most 200 lines', () => {
	test.each(sources)('%s', path => {
		expect(text(path).split('\n').length - 1).toBeLessThanOrEqual(200)
	})
})

test('zod is imported as a namespace, which a bundler can tree-shake', () => {
	expect(sources.filter(path => /import \{[^}]*\} from 'zod'/.test(text(path)))).toEqual([])
})

test('no file name ends with Manager, Helper, Util, Service or Impl', () => {
	expect(sources.filter(path => /(manager|helper|util|service|impl)s?\.ts$/i.test(path))).toEqual([])
})

test('every long-running room and the agent have a main.ts and a config.ts', () => {
	const wanted = ['mgmt', 'viola', 'controller', 'agent'].filter(room => sources.some(path => path.startsWith(`${room}/`)))
	const missing = wanted.flatMap(room => [`${room}/main.ts`, `${room}/config.ts`]).filter(path => !sources.includes(path))
	expect(missing).toEqual([])
})

test('the sources have no to-do marks', () => {
	const marks = new RegExp(['TO', 'DO|FIX', 'ME|X', 'XX'].join(''))
	expect(sources.filter(path => marks.test(text(path)))).toEqual([])
})

function importedRooms(path: string): string[] {
	const inside = specifiers(path).filter(from => from.startsWith('.'))
	return inside.map(from => normalize(join(dirname(path), from)).split('/')[0] ?? '').filter(room => rooms.includes(room))
}

function specifiers(path: string): string[] {
	return [...text(path).matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map(match => match[1] ?? '')
}

function code(path: string): string {
	return text(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
}

function text(path: string): string {
	return readFileSync(path, 'utf8')
}

import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderImports, importCircles, mutualFolders } from './import-graph.ts'

/**
 * Enforces the structure of the code: which rooms and directories may import which others, which files are pure, and how large a file may
 * be.
 */

const rooms = ['contract', 'runtime', 'mgmt', 'viola', 'operator', 'controller', 'agent', 'cli', 'console', 'lab']
const mayImport: Record<string, string[]> = {
	contract: [],
	runtime: [],
	lab: rooms,
}
const sources = rooms.flatMap(room => globSync(`${room}/**/*.ts`)).map(path => path.replaceAll('\\', '/'))

/** Files that make decisions: they receive time, randomness and the environment as arguments. */
const pureNames =
	/^agent\/(model|ip|persist|plan)\/|^agent\/run\/(retry|retry-words|bisect)\.ts$|^agent\/rollback\/(units|stored-step)\.ts$|^agent\/boot\/proof\.ts$|^agent\/openstack\/network-data\.ts$|^agent\/report\/(?!deliver|log|send-to-api-server|tally)[\w-]+\.ts$|(^|\/)(decide|plan|select|select-ports|naming|changes|cadence|settings|remotes|mgmt\/model\/origin|mgmt\/(authority|claims|learn|inventory-condition|viola\/batches|follow\/(events|progress|withdrawals))|mgmt\/inventory\/(apply|batch|backlog|cursor|difference|drafts|from-rows|lost|nics|report|search|stored)|viola\/model\/(content|view)|viola\/apply\/(difference|read-nodes|node-errors)|(disclosure\/(hosts|providers))|manifest|routing|status|build-status|snapshot|ip|names|reasons|render\/[\w-]+)\.ts$/
const impure = /\bawait\b|\basync\b|Date\.now|new Date\(\)|Math\.random|\bprocess\.|from 'node:/

/**
 * The layers of each room, the highest first. A directory imports only directories of lower layers, so the directories of one layer never
 * import each other.
 */
const layers: Record<string, string[][]> = {
	agent: [
		['agent', 'agent/image'],
		['agent/run'],
		['agent/report', 'agent/probe', 'agent/openstack', 'agent/boot', 'agent/rollback'],
		['agent/host'],
		['agent/plan'],
		['agent/persist'],
		['agent/ip'],
		['agent/model'],
	],
	controller: [
		['controller'],
		['controller/act', 'controller/uninstall'],
		['controller/rules', 'controller/cache'],
		['controller/status'],
		['controller/rollout'],
		['controller/model'],
	],
	runtime: [['runtime/auth'], ['runtime/kube'], ['runtime/kube/kubeconfig'], ['runtime']],
	mgmt: [['mgmt'], ['mgmt/follow'], ['mgmt/viola', 'mgmt/inventory', 'mgmt/openstack'], ['mgmt/disclosure'], ['mgmt/model']],
	viola: [['viola'], ['viola/routes'], ['viola/apply', 'viola/read'], ['viola/cluster'], ['viola/held', 'viola/targets'], ['viola/model']],
	lab: [
		['lab'],
		['lab/demo'],
		['lab/setup'],
		['lab/namespace'],
		['lab/nodes'],
		['lab/cluster', 'lab/node-image', 'lab/openstack', 'lab/uml'],
		['lab/images'],
		['lab/kit'],
		['lab/base'],
	],
	cli: [['cli'], ['cli/commands'], ['cli/bundle'], ['cli/read'], ['cli/render'], ['cli/model']],
}

/** Maps each file to the files of the same room that it imports, including type imports. */
const graph = new Map(sources.map(path => [path, importsOf(path).filter(other => roomOf(other) === roomOf(path))]))

describe('imports follow the layers', () => {
	test.each(Object.entries(layers))('a directory of %s/ imports only directories of lower layers', (room, ofRoom) => {
		const layerOf = (folder: string) => ofRoom.findIndex(layer => layer.includes(folder))
		const within = folderImports(graph).filter(({ from }) => roomOf(from) === room)
		expect(sources.filter(path => roomOf(path) === room && layerOf(dirname(path)) === -1)).toEqual([])
		expect(within.filter(({ from, to }) => layerOf(from) >= layerOf(to))).toEqual([])
	})

	test('two directories of a room do not import each other', () => {
		expect(mutualFolders(graph)).toEqual([])
	})

	test('there are no import cycles', () => {
		expect(importCircles(graph)).toEqual([])
	})
})

describe('a room imports only contract, runtime and itself', () => {
	test.each(sources)('%s', path => {
		const room = roomOf(path)
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

describe('files that make decisions are pure', () => {
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
	return importsOf(path)
		.map(roomOf)
		.filter(room => rooms.includes(room))
}

/** @returns the files that a file imports, as paths in the repository */
function importsOf(path: string): string[] {
	const inside = specifiers(path).filter(from => from.startsWith('.'))
	return inside.map(from => normalize(join(dirname(path), from)).replaceAll('\\', '/'))
}

function roomOf(path: string): string {
	return path.split('/')[0] ?? ''
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

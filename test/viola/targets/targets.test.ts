import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createLog } from '../../../runtime/log.ts'
import { readSource } from '../../../runtime/watched-file.ts'
import { parseClusters } from '../../../viola/targets/clusters-file.ts'
import { createTargets } from '../../../viola/targets/targets.ts'
import { manualTime } from '../../runtime/manual-time.ts'

/** The targets of a real file, with a timer that the test advances. `targets.cluster.test.ts` has Secrets. */

let root: string
let folder: string
let number = 0
const path = (name: string) => join(folder, name)
const write = (name: string, text: string) => writeFileSync(path(name), text)
beforeAll(() => {
	root = mkdtempSync(join(tmpdir(), 'multinic-targets-'))
})
beforeEach(() => {
	folder = join(root, String(number++))
	mkdirSync(folder)
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

function start() {
	const time = manualTime()
	const end = new AbortController()
	onTestFinished(() => end.abort())
	const lines: { level: string; msg: string }[] = []
	const log = createLog('viola', { to: { write: line => void lines.push(JSON.parse(line)) } })
	const file = readSource([path('clusters.yaml')], text => parseClusters(text ?? ''))
	const targets = createTargets({ file, log, signal: end.signal, setTimer: time.setTimer })
	const changes: string[] = []
	targets.onChange(({ type, target }) => changes.push(`${type} ${target.providerId}`))
	/** Advances to the next poll. A change is reported in the same turn. */
	const poll = async () => {
		time.pass(5_000)
		await Promise.resolve()
		return changes.splice(0)
	}
	changes.splice(0)
	return { targets, poll, lines, time, end }
}

test('a listener receives the targets that exist', () => {
	write('clusters.yaml', 'a: {}\nb: {}')
	const { targets } = start()
	const seen: string[] = []
	targets.onChange(({ type, target }) => seen.push(`${type} ${target.providerId}`))
	expect(seen).toEqual(['added a', 'added b'])
	expect(targets.isComplete()).toBe(true)
})

test('a cluster is added, changed and removed in the file', async () => {
	write('clusters.yaml', 'a: {}')
	const { targets, poll } = start()
	write('clusters.yaml', 'a: {}\nb: {}')
	expect(await poll()).toEqual(['added b'])
	write('clusters.yaml', 'a: { namespace: n }\nb: {}')
	expect(await poll()).toEqual(['changed a'])
	expect(targets.get('a')?.namespace).toBe('n')
	write('clusters.yaml', '{}')
	expect(await poll()).toEqual(['removed a', 'removed b'])
	expect([targets.get('a'), targets.all()]).toEqual([undefined, []])
})

test('a ConfigMap that the kubelet replaces through its symbolic link is read', async () => {
	for (const version of ['1', '2']) {
		mkdirSync(path(version))
		write(join(version, 'clusters.yaml'), `v${version}: {}`)
	}
	symlinkSync('1', path('..data'))
	symlinkSync(join('..data', 'clusters.yaml'), path('clusters.yaml'))
	const { poll } = start()
	symlinkSync('2', path('..data_tmp'))
	renameSync(path('..data_tmp'), path('..data'))
	expect(await poll()).toEqual(['removed v1', 'added v2'])
})

test.each<[sentence: string, text: string]>([
	['is emptied', ''],
	['has an invalid provider id', '"a b": {}'],
	['is not YAML', 'a: ['],
])('a file that %s changes nothing, with one warning per minute', async (_, text) => {
	write('clusters.yaml', 'a: {}')
	const { targets, poll, lines, time } = start()
	write('clusters.yaml', text)
	expect(await poll()).toEqual([])
	time.pass(115_000)
	expect(targets.get('a')).toBeDefined()
	expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(2)
})

test('new credentials in a kubeconfig change its target, and only this one', async () => {
	write('clusters.yaml', `a: { kubeconfig: ${path('a.conf')} }\nb: { kubeconfig: ${path('b.conf')} }`)
	write('a.conf', 'one')
	write('b.conf', 'one')
	const { poll } = start()
	expect(await poll()).toEqual([])
	write('a.conf', 'two')
	expect(await poll()).toEqual(['changed a'])
})

test('a kubeconfig that does not exist yet changes its target when it does', async () => {
	write('clusters.yaml', `a: { kubeconfig: ${path('a.conf')} }`)
	const { targets, poll } = start()
	expect(await poll()).toEqual([])
	expect(targets.get('a')).toBeDefined()
	write('a.conf', 'one')
	expect(await poll()).toEqual(['changed a'])
	rmSync(path('a.conf'))
	expect(await poll()).toEqual([])
})

test('a kubeconfig is no longer read after its target was removed, and none after the end', async () => {
	write('clusters.yaml', `a: { kubeconfig: ${path('a.conf')} }`)
	write('a.conf', 'one')
	const { poll, time, end } = start()
	expect(time.waiting()).toBe(2)
	write('clusters.yaml', 'b: {}')
	await poll()
	expect(time.waiting()).toBe(1)
	end.abort()
	expect(time.waiting()).toBe(0)
})

import { expect, onTestFinished, test } from 'vitest'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { ConfigMap } from '../../../runtime/kube/kinds.ts'
import { startReflector } from '../../../runtime/kube/reflector.ts'
import { createLog } from '../../../runtime/log.ts'
import { list, saysNothing, startFaultServer, watch } from '../fault-server.ts'

/** The API server reports each write of this process twice: in its response, and as an event of the watch, in either order. */

/** Starts a reflector whose list contains `a@1`, and whose watch then delivers `a@6` and `b@7`. Records what is projected, and onto what. */
async function reflect() {
	const server = await startFaultServer()
	server.script(list('5', ['a@1']), watch(['MODIFIED a@6', 'ADDED b@7'], saysNothing))
	const client = new KubeClient(server.credentials, { fieldManager: 'test' })
	const end = new AbortController()
	const projected: string[] = []
	const changes: string[] = []
	const reflector = startReflector<ConfigMap, string>({
		client,
		kind: ConfigMap,
		project: ({ metadata }, before) => {
			const view = `${metadata.name}@${metadata.resourceVersion}`
			projected.push(before ? `${before} -> ${view}` : view)
			return view
		},
		onChange: (_, now = 'deleted') => changes.push(now),
		log: createLog('test', { level: 'silent' }),
		signal: end.signal,
		listMode: 'paged',
	})
	onTestFinished(async () => {
		end.abort()
		await reflector.done
		await client.close()
	})
	const respond = (name: string, resourceVersion: string) => {
		const metadata = { name, uid: `uid-${name}`, resourceVersion, creationTimestamp: '2026-01-01T12:00:00Z' }
		reflector.observeWrite({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
	}
	return { reflector, projected, changes, respond }
}

test('a change is projected onto the stored data, and an object of a list onto nothing', async () => {
	const { projected, changes } = await reflect()
	await expect.poll(() => changes).toEqual(['a@1', 'a@6', 'b@7'])
	expect(projected).toEqual(['a@1', 'a@1 -> a@6', 'b@7'])
})

test('an event that follows the response to the same write is not projected', async () => {
	const { projected, changes, respond } = await reflect()
	respond('a', '6')
	await expect.poll(() => changes.at(-1)).toBe('b@7')
	expect(projected.filter(view => view.endsWith('a@6'))).toHaveLength(1)
	expect(changes.filter(view => view === 'a@6')).toHaveLength(1)
})

test.each<[title: string, name: string, version: string, isProjected: boolean]>([
	['the version that the watch has delivered', 'a', '6', false],
	['a version before the last event', 'c', '7', false],
	['a later version', 'a', '8', true],
	['a later version of an object that is not stored', 'c', '8', true],
])('a response with %s: %s@%s, projected: %s', async (_, name, version, isProjected) => {
	const { projected, changes, respond } = await reflect()
	await expect.poll(() => changes).toHaveLength(3)
	respond(name, version)
	expect(projected.slice(3)).toEqual(isProjected ? [name === 'a' ? 'a@6 -> a@8' : 'c@8'] : [])
	expect(changes.slice(3)).toEqual(isProjected ? [`${name}@8`] : [])
})

test('the response to a later write is not projected again when an earlier response arrives after it', async () => {
	const { projected, changes, respond } = await reflect()
	await expect.poll(() => changes).toHaveLength(3)
	respond('a', '9')
	respond('a', '8')
	expect(projected.slice(3)).toEqual(['a@6 -> a@9'])
})

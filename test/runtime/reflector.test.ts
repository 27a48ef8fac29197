import { expect, onTestFinished, test, vi } from 'vitest'
import { KubeClient } from '../../runtime/kube/client.ts'
import { ConfigMap } from '../../runtime/kube/kinds.ts'
import { type Reflector, type ReflectorOptions, startReflector } from '../../runtime/kube/reflector.ts'
import type { Transport } from '../../runtime/kube/transport.ts'
import { watchEvents } from '../../runtime/kube/watch.ts'
import { createLog } from '../../runtime/log.ts'
import { type Answer, breaks, ends, type FaultServer, json, line, list, saysNothing, startFaultServer, watch } from './fault-server.ts'

type World = { server: FaultServer; reflector: Reflector<string>; told: string[]; logged: string[]; stop: () => Promise<void> }

/** A reflector whose API server misbehaves as scripted. It reports changes as `name@version`, and `-name` when one is gone. */
async function reflect(answers: Answer[], options: Partial<ReflectorOptions<ConfigMap, string>> = {}): Promise<World> {
	const server = await startFaultServer()
	server.script(...answers)
	const client = new KubeClient(server.credentials, { fieldManager: 'test' })
	const end = new AbortController()
	const told: string[] = []
	const logged: string[] = []
	const reflector = startReflector<ConfigMap, string>({
		client,
		kind: ConfigMap,
		project: ({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`,
		onChange: (key, now) => told.push(now ?? `-${key}`),
		log: createLog('test', { to: { write: text => void logged.push(text) } }),
		signal: end.signal,
		chance: () => 0.5,
		backoff: { firstMs: 2, maxMs: 8 },
		...options,
	})
	const stop = async () => {
		end.abort()
		await reflector.done
		await client.close()
	}
	onTestFinished(stop)
	return { server, reflector, told, logged, stop }
}

const gone = (code: number): Answer => json(code, { kind: 'Status', code, message: 'as it was told to' })
const quiet = watch([], saysNothing)

test.each<[title: string, answers: Answer[], requests: string[], told: string[]]>([
	[
		'a watch that breaks off is resumed where it stopped',
		[list('5', ['a@1']), watch(['MODIFIED a@6'], breaks), watch(['ADDED b@7'], saysNothing)],
		['list 500', 'watch from 5', 'watch from 6'],
		['a@1', 'a@6', 'b@7'],
	],
	[
		'a watch that ends in order is resumed where it stopped',
		[list('5', ['a@1']), watch(['MODIFIED a@6'], ends), watch(['DELETED a@7'], saysNothing)],
		['list 500', 'watch from 5', 'watch from 6'],
		['a@1', 'a@6', '-a'],
	],
	[
		'a bookmark moves where it is resumed',
		[list('5', ['a@1']), watch(['BOOKMARK @90'], breaks), quiet],
		['list 500', 'watch from 5', 'watch from 90'],
		['a@1'],
	],
	...[500, 503, 429, 401, 403].map((code): [string, Answer[], string[], string[]] => [
		`a watch that is answered ${code} is tried again from the same place`,
		[list('5', ['a@1']), ...Array(code === 401 ? 2 : 1).fill(gone(code)), watch(['ADDED b@7'], saysNothing)],
		['list 500', ...Array(code === 401 ? 3 : 2).fill('watch from 5')],
		['a@1', 'b@7'],
	]),
	[
		'an error told within a watch is waited out, and the watch resumed',
		[list('5', ['a@1']), watch(['ADDED b@6', 'ERROR 500'], ends), watch(['ADDED c@7'], saysNothing)],
		['list 500', 'watch from 5', 'watch from 6'],
		['a@1', 'b@6', 'c@7'],
	],
	[
		'a version too old, told within the watch, leads to a list, and what is missing there is gone',
		[list('5', ['a@1', 'b@2', 'c@3']), watch(['ERROR 410'], ends), list('9', ['b@2', 'c@8', 'd@7']), quiet],
		['list 500', 'watch from 5', 'list 500', 'watch from 9'],
		['a@1', 'b@2', 'c@3', '-a', 'c@8', 'd@7'],
	],
	[
		'a version too old, told by status, leads to a list too',
		[list('5', ['a@1']), gone(410), list('9', []), quiet],
		['list 500', 'watch from 5', 'list 500', 'watch from 9'],
		['a@1', '-a'],
	],
	[
		'a list that fails is tried again',
		[gone(503), gone(500), response => response.destroy(), list('5', ['a@1']), quiet],
		['list 500', 'list 500', 'list 500', 'list 500', 'watch from 5'],
		['a@1'],
	],
	[
		'a list whose continue token ran out is read in one piece',
		[list('5', ['a@1'], 'more'), gone(410), list('6', ['a@1', 'b@2']), quiet],
		['list 500', 'list 500 more', 'list whole', 'watch from 6'],
		['a@1', 'b@2'],
	],
	[
		'a list that is cut in the middle changes nothing',
		[list('5', ['a@1']), watch(['ERROR 410'], ends), list('9', [], 'more'), gone(500), list('9', ['a@1']), quiet],
		['list 500', 'watch from 5', 'list 500', 'list 500 more', 'list 500', 'watch from 9'],
		['a@1'],
	],
	['an empty list may say null', [json(200, { metadata: { resourceVersion: '3' }, items: null }), quiet], ['list 500', 'watch from 3'], []],
])('%s', async (_, answers, requests, told) => {
	const world = await reflect(answers)
	await expect.poll(() => world.server.requests).toEqual(requests)
	await expect.poll(() => world.told).toEqual(told)
	expect(world.reflector.isSynced()).toBe(true)
})

test('a watch that has fallen silent is opened anew where it stood, and that is no failure', async () => {
	const answers = [list('5', []), watch(['ADDED a@6'], saysNothing), watch(['ADDED b@7'], saysNothing), quiet]
	const { server, told, reflector, logged } = await reflect(answers, { idleMs: 30 })
	await expect.poll(() => server.requests.slice(0, 4)).toEqual(['list 500', 'watch from 5', 'watch from 6', 'watch from 7'])
	expect([told, reflector.counts.failures, logged]).toEqual([['a@6', 'b@7'], 0, []])
})

test('every silence counts from the last word', async () => {
	vi.useFakeTimers()
	onTestFinished(() => void vi.useRealTimers())
	const chunks = ['BOOKMARK @6', 'BOOKMARK @7', 'BOOKMARK @8'].map(event => Buffer.from(`${line(event)}\n`))
	const open = async function* ({ signal }: { signal: AbortSignal }) {
		for (const chunk of chunks) {
			await vi.advanceTimersByTimeAsync(900)
			signal.throwIfAborted()
			yield chunk
		}
		await vi.advanceTimersByTimeAsync(1_000)
		signal.throwIfAborted()
	}
	const transport = { open: async (request: { signal: AbortSignal }) => open(request) } as Pick<Transport, 'open'> as Transport
	const told: string[] = []
	const watching = async () => {
		const options = { resourceVersion: '5', idleMs: 1_000, signal: new AbortController().signal }
		for await (const event of watchEvents(transport, ConfigMap, options)) told.push(event.object.metadata.resourceVersion)
	}
	await expect(watching()).rejects.toMatchObject({ code: 'TIMED_OUT', facts: { silent: true } })
	expect(told).toEqual(['6', '7', '8'])
})

test('what was heard makes the next wait short again', async () => {
	const answers = [list('5', []), gone(500), gone(500), gone(500), watch(['ADDED a@6'], breaks), quiet]
	const { server, logged } = await reflect(answers, { chance: () => 0 })
	await expect.poll(() => server.requests.at(-1)).toBe('watch from 6')
	expect(logged.map(text => JSON.parse(text).waitMs)).toEqual([2, 4, 8, 2])
})

test('a server that ends every watch at once is not asked in a tight loop', async () => {
	let chances = 0
	const chance = () => {
		chances++
		return 0
	}
	const { server } = await reflect([list('5', []), watch([], ends)], { chance })
	await expect.poll(() => server.requests.length).toBeGreaterThan(4)
	// one for each watch's own time limit, one for the wait after each watch that had nothing to say
	expect(chances).toBeGreaterThanOrEqual(2 * (server.requests.length - 1) - 1)
})

test('lines may be cut anywhere, even within a letter; a last one without its end does not count', async () => {
	const bytes = Buffer.from(`${line('ADDED ä@6')}\n${line('ADDED b@7')}\n${line('ADDED c@8')}`)
	const inPieces: Answer = async response => {
		response.writeHead(200)
		for (const byte of bytes) await new Promise(resolve => response.write(Buffer.of(byte), resolve))
		response.end()
	}
	const { server, told } = await reflect([list('5', []), inPieces, quiet])
	await expect.poll(() => server.requests.at(-1)).toBe('watch from 7')
	expect(told).toEqual(['ä@6', 'b@7'])
})

test('a line that is not JSON is a failure like another', async () => {
	const { server, reflector } = await reflect([list('5', []), response => response.end('{"type":\n'), quiet])
	await expect.poll(() => server.requests).toEqual(['list 500', 'watch from 5', 'watch from 5'])
	expect(reflector.counts.failures).toBe(1)
})

test('a handler that throws is logged and harms nobody', async () => {
	const onChange = () => {
		throw new TypeError('a handler with a bug')
	}
	const { reflector, logged } = await reflect([list('5', ['a@1']), watch(['ADDED b@6'], saysNothing)], { onChange })
	await expect.poll(() => [...reflector.store.values()]).toEqual(['a@1', 'b@6'])
	expect(logged.join('')).toContain('a handler with a bug')
	expect(reflector.counts).toMatchObject({ lists: 1, watches: 1, failures: 0 })
})

test('an end in the middle of the list opens no watch after it', async () => {
	const { server, reflector, stop } = await reflect([saysNothing])
	await expect.poll(() => server.requests).toEqual(['list 500'])
	await stop()
	await expect(reflector.synced).rejects.toThrow()
	expect([server.requests, reflector.counts.failures]).toEqual([['list 500'], 0])
})

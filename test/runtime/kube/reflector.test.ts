import { expect, onTestFinished, test, vi } from 'vitest'
import { sleep } from '../../../runtime/clock.ts'
import { KubeClient } from '../../../runtime/kube/client.ts'
import { failureOf } from '../../../runtime/kube/failures.ts'
import { ConfigMap } from '../../../runtime/kube/kinds.ts'
import type { ListMode, ReflectorOptions } from '../../../runtime/kube/reflector-state.ts'
import { type Reflector, startReflector } from '../../../runtime/kube/reflector.ts'
import type { Transport } from '../../../runtime/kube/transport.ts'
import { watchEvents } from '../../../runtime/kube/watch.ts'
import { createLog } from '../../../runtime/log.ts'
import { manualTime } from '../manual-time.ts'
import {
	type Answer,
	breaks,
	ends,
	type FaultServer,
	json,
	line,
	list,
	part,
	saysNothing,
	startFaultServer,
	watch,
} from '../fault-server.ts'

type World = { server: FaultServer; reflector: Reflector<ConfigMap, string>; told: string[]; logged: string[]; stop: () => Promise<void> }

/** Starts a reflector that lists, with a server that misbehaves as scripted. Records changes as `name@version`, and removals as `-name`. */
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
		listMode: 'paged',
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

/** Waits until this number of requests has been sent, then lets the time pass after which an idle watch is canceled. */
async function fallsSilent(server: FaultServer, pass: (ms: number) => void, requests: number): Promise<void> {
	await expect.poll(() => server.requests.length).toBe(requests)
	pass(90_000)
}

const SILENCE = 'stops sending'
const gone = (code: number): Answer => json(code, { kind: 'Status', code, message: 'scripted error' })
const quiet = watch([], saysNothing)

test.each<[title: string, answers: Answer[], requests: string[], told: string[]]>([
	[
		'a watch whose connection breaks is resumed from its last version',
		[list('5', ['a@1']), watch(['MODIFIED a@6'], breaks), watch(['ADDED b@7'], saysNothing)],
		['list 500', 'watch from 5', 'watch from 6'],
		['a@1', 'a@6', 'b@7'],
	],
	[
		'a watch that ends normally is resumed from its last version',
		[list('5', ['a@1']), watch(['MODIFIED a@6'], ends), watch(['DELETED a@7'], saysNothing)],
		['list 500', 'watch from 5', 'watch from 6'],
		['a@1', 'a@6', '-a'],
	],
	[
		'a watch is resumed from the version of the last bookmark',
		[list('5', ['a@1']), watch(['BOOKMARK @90'], breaks), quiet],
		['list 500', 'watch from 5', 'watch from 90'],
		['a@1'],
	],
	...[500, 503, 429, 401, 403].map((code): [string, Answer[], string[], string[]] => [
		`a watch that is answered with ${code} is retried from the same version`,
		[list('5', ['a@1']), ...Array(code === 401 ? 2 : 1).fill(gone(code)), watch(['ADDED b@7'], saysNothing)],
		['list 500', ...Array(code === 401 ? 3 : 2).fill('watch from 5')],
		['a@1', 'b@7'],
	]),
	[
		'after an error event, the watch is resumed',
		[list('5', ['a@1']), watch(['ADDED b@6', 'ERROR 500'], ends), watch(['ADDED c@7'], saysNothing)],
		['list 500', 'watch from 5', 'watch from 6'],
		['a@1', 'b@6', 'c@7'],
	],
	[
		'an error event 410 leads to a list, and objects that are not in the list are removed',
		[list('5', ['a@1', 'b@2', 'c@3']), watch(['ERROR 410'], ends), list('9', ['b@2', 'c@8', 'd@7']), quiet],
		['list 500', 'watch from 5', 'list 500', 'watch from 9'],
		['a@1', 'b@2', 'c@3', '-a', 'c@8', 'd@7'],
	],
	[
		'a watch that is answered with 410 leads to a list',
		[list('5', ['a@1']), gone(410), list('9', []), quiet],
		['list 500', 'watch from 5', 'list 500', 'watch from 9'],
		['a@1', '-a'],
	],
	[
		'a list that fails is retried',
		[gone(503), gone(500), response => response.destroy(), list('5', ['a@1']), quiet],
		['list 500', 'list 500', 'list 500', 'list 500', 'watch from 5'],
		['a@1'],
	],
	[
		'a list whose continue token expired is read in one response',
		[list('5', ['a@1'], 'more'), gone(410), list('6', ['a@1', 'b@2']), quiet],
		['list 500', 'list 500 more', 'list whole', 'watch from 6'],
		['a@1', 'b@2'],
	],
	[
		'a list that fails after its first page changes nothing',
		[list('5', ['a@1']), watch(['ERROR 410'], ends), list('9', [], 'more'), gone(500), list('9', ['a@1']), quiet],
		['list 500', 'watch from 5', 'list 500', 'list 500 more', 'list 500', 'watch from 9'],
		['a@1'],
	],
	[
		'the items of an empty list may be null',
		[json(200, { metadata: { resourceVersion: '3' }, items: null }), quiet],
		['list 500', 'watch from 3'],
		[],
	],
])('%s', async (_, answers, requests, told) => {
	const world = await reflect(answers)
	await expect.poll(() => world.server.requests).toEqual(requests)
	await expect.poll(() => world.told).toEqual(told)
	expect(world.reflector.isSynced()).toBe(true)
})

test.each<[title: string, answers: Answer[], requests: string[], told: string[]]>([
	['is read in one response', [list('5', ['a@1', 'b@2']), quiet], ['list whole', 'watch from 5'], ['a@1', 'b@2']],
	[
		'may have null as its items',
		[json(200, { metadata: { resourceVersion: '3' }, items: null }), quiet],
		['list whole', 'watch from 3'],
		[],
	],
	[
		'whose connection breaks or that is truncated changes nothing, and is read again in pages',
		[
			...[list('5', ['a@1']), watch(['ERROR 410'], ends)],
			...[part('9', ['b@2'], breaks), list('9', ['a@1']), watch(['ERROR 410'], ends)],
			...[part('10', ['b@2'], ends), list('10', ['a@1', 'c@10']), quiet],
		],
		['list whole', 'watch from 5', 'list whole', 'list 500', 'watch from 9', 'list whole', 'list 500', 'watch from 10'],
		['a@1', 'c@10'],
	],
	['that is rejected is read in pages', [gone(429), list('5', ['a@1']), quiet], ['list whole', 'list 500', 'watch from 5'], ['a@1']],
])('a list %s', async (_, answers, requests, told) => {
	const world = await reflect(answers, { listMode: 'single' })
	await expect.poll(() => world.server.requests).toEqual(requests)
	await expect.poll(() => world.told).toEqual(told)
	expect(world.reflector.isSynced()).toBe(true)
})

const [streamed, refused] = [
	{ listMode: 'watchlist' as const },
	{ kind: 'Status', reason: 'Invalid', message: 'sendInitialEvents: Forbidden' },
]
const relisted = [list('5', ['a@1']), watch(['ERROR 410'], ends)]

test.each<[title: string, answers: Answer[], requests: string[], told: string[], failures: number]>([
	[
		'a watch list reports the existing objects, and then later changes',
		[watch(['ADDED a@1', 'ADDED b@2', 'END @5', 'MODIFIED a@6', 'DELETED b@7'], saysNothing)],
		['watchlist'],
		['a@1', 'b@2', 'a@6', '-b'],
		0,
	],
	['a watch list may have no objects', [watch(['END @5', 'ADDED a@6'], saysNothing)], ['watchlist'], ['a@6'], 0],
	[
		'a change during the initial events of a watch list is included, and only the resulting objects are reported',
		[watch(['ADDED a@1', 'ADDED b@2', 'MODIFIED a@6', 'DELETED b@7', 'END @7'], saysNothing)],
		['watchlist'],
		['a@6'],
		0,
	],
	[
		'a watch list whose connection breaks after the initial events is resumed as a watch',
		[watch(['ADDED a@1', 'END @5', 'ADDED b@6'], breaks), quiet],
		['watchlist', 'watch from 6'],
		['a@1', 'b@6'],
		1,
	],
	[
		'an error event 410 leads to another watch list, and objects that are not in it are removed',
		[watch(['ADDED a@1', 'ADDED b@2', 'ADDED c@3', 'END @5', 'ERROR 410'], ends), watch(['ADDED c@8', 'ADDED b@2', 'END @9'], saysNothing)],
		['watchlist', 'watchlist'],
		['a@1', 'b@2', 'c@3', '-a', 'c@8'],
		1,
	],
	...[400, 405, 422].map((code): [string, Answer[], string[], string[], number] => [
		`after ${code} for a watch list, the reflector lists immediately, and never requests a watch list again`,
		[json(code, refused), ...relisted, list('9', []), quiet],
		['watchlist', 'list 500', 'watch from 5', 'list 500', 'watch from 9'],
		['a@1', '-a'],
		1,
	]),
	...[403, 404, 429, 500, 503].map((code): [string, Answer[], string[], string[], number] => [
		`a watch list that is answered with ${code} is a failure; the next attempt is a list, and the next relist is a watch list`,
		[gone(code), ...relisted, watch(['END @9'], saysNothing)],
		['watchlist', 'list 500', 'watch from 5', 'watchlist'],
		['a@1', '-a'],
		2,
	]),
	...(
		[
			['ends', ends, []],
			['loses its connection', breaks, []],
			[SILENCE, saysNothing, []],
			['sends a bookmark that is not the end of the initial events', saysNothing, ['BOOKMARK @5']],
			['sends an error event 500', ends, ['ERROR 500']],
			['sends an error event 410', ends, ['ERROR 410']],
		] as const
	).map(([title, then, events]): [string, Answer[], string[], string[], number] => [
		`a watch list that ${title} before its initial events are complete reports nothing; the next attempt is a list`,
		[watch(['ADDED x@1', ...events], then), list('5', ['a@1']), quiet],
		['watchlist', 'list 500', 'watch from 5'],
		['a@1'],
		1,
	]),
])('%s', async (...[title, answers, requests, told, failures]) => {
	const { setTimer, pass } = manualTime()
	const world = await reflect(answers, { ...streamed, setTimer })
	if (title.includes(SILENCE)) await fallsSilent(world.server, pass, 1)
	await expect.poll(() => world.server.requests).toEqual(requests)
	await expect.poll(() => world.told).toEqual(told)
	expect([world.reflector.isSynced(), world.reflector.counts.failures]).toEqual([true, failures])
	expect(world.reflector.counts.lists).toBe(requests.filter(request => !request.startsWith('watch from')).length)
})

test('the watch list, the list and the watch use the selection', async () => {
	const urls: URLSearchParams[] = []
	const noted =
		(answer: Answer): Answer =>
		(response, request) => {
			urls.push(new URL(request.url ?? '', 'http://x').searchParams)
			answer(response, request)
		}
	const selection = { labelSelector: 'a=b', fieldSelector: 'metadata.name=x' }
	await reflect([noted(json(400, refused)), noted(list('5', [])), noted(quiet)], { ...streamed, ...selection })
	await expect.poll(() => urls.length).toBe(3)
	for (const url of urls) expect(Object.fromEntries(url)).toMatchObject(selection)
	expect(Object.fromEntries(urls[0] ?? [])).toMatchObject({ resourceVersionMatch: 'NotOlderThan', allowWatchBookmarks: 'true' })
	expect(urls[0]?.has('resourceVersion')).toBe(false)
})

test.each(['watchlist', 'paged', 'single'] as const)(
	'the objects of the first list are reported as a backlog, those of later lists are not (%s)',
	async listMode => {
		const told: string[] = []
		const onChange = (key: string, now: string | undefined, _: unknown, backlog: boolean) => told.push(`${now ?? `-${key}`} ${backlog}`)
		const first =
			listMode === 'watchlist'
				? [watch(['ADDED a@1', 'END @5', 'ADDED b@6', 'ERROR 410'], ends)]
				: [list('5', ['a@1']), watch(['ADDED b@6', 'ERROR 410'], ends)]
		const second = listMode === 'watchlist' ? [watch(['ADDED a@9', 'END @9'], saysNothing)] : [list('9', ['a@9']), quiet]
		await reflect([...first, ...second], { listMode, onChange })
		await expect.poll(() => told).toEqual(['a@1 true', 'b@6 false', '-b false', 'a@9 false'])
	},
)

test('a resync reports every object again, as a backlog, and sends no request', async () => {
	const told: [string | undefined, string | undefined, boolean][] = []
	const onChange = (_: string, now: string | undefined, before: string | undefined, backlog: boolean) => told.push([now, before, backlog])
	const { server } = await reflect([watch(['ADDED a@1', 'ADDED b@2', 'END @5'], saysNothing)], { ...streamed, onChange, resyncMs: 20 })
	await expect.poll(() => told.length).toBeGreaterThanOrEqual(6)
	expect(told.slice(2, 6)).toEqual([
		['a@1', 'a@1', true],
		['b@2', 'b@2', true],
		['a@1', 'a@1', true],
		['b@2', 'b@2', true],
	])
	expect(server.requests).toEqual(['watchlist'])
})

test.each<[title: string, answer: Answer, listMode: ListMode]>([
	['watch', (response, request) => (request.url?.includes('watch=true') ? gone(410) : list('5', ['a@1']))(response, request), 'paged'],
	['watchlist', watch(['ADDED a@1', 'END @5', 'MODIFIED a@6', 'ERROR 410'], ends), 'watchlist'],
])('a server that answers every %s with 410 gets no requests in a tight loop', async (_, answer, listMode) => {
	const { logged } = await reflect([answer], { listMode, chance: () => 0 })
	await expect.poll(() => logged.length).toBeGreaterThanOrEqual(5)
	expect(logged.slice(0, 5).map(text => JSON.parse(text).waitMs)).toEqual([2, 4, 8, 8, 8])
})

test('a server that sends Retry-After gets no request before that time', async () => {
	const later = json(429, { message: 'too many requests' }, { 'retry-after': '0.05' })
	const { server, logged } = await reflect([list('5', []), later, quiet])
	await expect.poll(() => server.requests.length).toBe(3)
	expect(logged.map(text => JSON.parse(text).waitMs)).toEqual([50])
})

test('the reflector retries while credentials are not available', async () => {
	const server = await startFaultServer()
	let failures = 2
	const headers = async () => {
		if (failures-- > 0) throw new Error('the token cannot be read')
		return {}
	}
	const client = new KubeClient({ ...server.credentials, headers }, { fieldManager: 'test' })
	const end = new AbortController()
	onTestFinished(async () => {
		end.abort()
		await client.close()
	})
	const backoff = { firstMs: 2, maxMs: 8 }
	const options = { client, kind: ConfigMap, log: createLog('test', { level: 'silent' }), signal: end.signal, backoff }
	const reflector = startReflector(options)
	server.script(list('5', ['a@1']), quiet)
	await reflector.synced
	expect([reflector.counts.failures, server.requests[0]]).toEqual([2, 'list 500'])
})

test('a watch that was idle too long is opened again from its last version, which is not counted as a failure', async () => {
	const answers = [list('5', []), watch(['ADDED a@6'], saysNothing), watch(['ADDED b@7'], saysNothing), quiet]
	const { setTimer, pass } = manualTime()
	const { server, told, reflector, logged } = await reflect(answers, { setTimer })
	await expect.poll(() => told).toEqual(['a@6'])
	pass(90_000)
	await expect.poll(() => told).toEqual(['a@6', 'b@7'])
	pass(90_000)
	await expect.poll(() => server.requests).toEqual(['list 500', 'watch from 5', 'watch from 6', 'watch from 7'])
	expect([told, reflector.counts.failures, logged]).toEqual([['a@6', 'b@7'], 0, []])
})

test('a watch, or a watch list, without any response is opened again', async () => {
	const { setTimer, pass } = manualTime()
	const dead = await reflect([list('5', []), saysNothing, watch(['ADDED a@6'], saysNothing)], { setTimer })
	await fallsSilent(dead.server, pass, 2)
	await expect.poll(() => dead.told).toEqual(['a@6'])
	expect(dead.server.requests).toEqual(['list 500', 'watch from 5', 'watch from 5'])
	const stream = await reflect([saysNothing, list('5', ['a@1']), quiet], { ...streamed, setTimer })
	await fallsSilent(stream.server, pass, 1)
	await expect.poll(() => stream.server.requests).toEqual(['watchlist', 'list 500', 'watch from 5'])
})

test('the idle time is measured from the last event', async () => {
	vi.useFakeTimers()
	onTestFinished(() => void vi.useRealTimers())
	const chunks = ['BOOKMARK @6', 'BOOKMARK @7', 'BOOKMARK @8'].map(event => Buffer.from(`${line(event)}\n`))
	const told = async function* (signal: AbortSignal) {
		for (const chunk of chunks) {
			await vi.advanceTimersByTimeAsync(900)
			signal.throwIfAborted()
			yield chunk
		}
		await vi.advanceTimersByTimeAsync(1_000)
		signal.throwIfAborted()
	}
	const open: Transport['open'] = async ({ signal }) => ({ contentType: 'application/json', bytes: told(signal) })
	const transport = { open } as Pick<Transport, 'open'> as Transport
	const heard: string[] = []
	const watching = async () => {
		const options = { resourceVersion: '5', idleMs: 1_000, signal: new AbortController().signal }
		for await (const event of watchEvents(transport, ConfigMap, options)) heard.push(event.object.metadata.resourceVersion)
	}
	await expect(watching()).rejects.toMatchObject({ code: 'TIMED_OUT', facts: { silent: true } })
	expect(heard).toEqual(['6', '7', '8'])
})

test('a received event resets the back-off', async () => {
	const answers = [list('5', []), gone(500), gone(500), gone(500), watch(['ADDED a@6'], breaks), quiet]
	const { server, logged } = await reflect(answers, { chance: () => 0 })
	await expect.poll(() => server.requests.at(-1)).toBe('watch from 6')
	expect(logged.map(text => JSON.parse(text).waitMs)).toEqual([2, 4, 8, 2])
})

test('a watch that lasted resets the back-off, although it reported nothing', async () => {
	vi.useFakeTimers()
	onTestFinished(() => void vi.useRealTimers())
	const lastsMs = [0, 0, 0, 6_000, 0, 3_600_000]
	const client = {
		pages: async function* () {
			yield { items: [], resourceVersion: '5' }
		},
		watch: async function* () {
			await sleep(lastsMs.shift() ?? 0)
			yield* []
			throw failureOf('GET /x', 502, '')
		},
	} as unknown as KubeClient
	const { logged, stop } = await reflect([], { client, chance: () => 0 })
	await vi.advanceTimersByTimeAsync(10_000)
	expect(logged.map(text => JSON.parse(text).waitMs)).toEqual([2, 4, 8, 2, 4])
	lastsMs.length = 0
	const stopped = stop()
	await vi.advanceTimersByTimeAsync(3_600_000)
	await stopped
})

test('a server that ends every watch immediately gets no requests in a tight loop', async () => {
	let chances = 0
	const chance = () => {
		chances++
		return 0
	}
	const { server } = await reflect([list('5', []), watch([], ends)], { chance })
	await expect.poll(() => server.requests.length).toBeGreaterThan(4)
	// one for each watch's own timeout, and one for the wait after each watch that reported nothing
	expect(chances).toBeGreaterThanOrEqual(2 * (server.requests.length - 1) - 1)
})

test('lines may be split anywhere, even within a character, and an incomplete last line is ignored', async () => {
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

test('a line that is not JSON is counted as a failure, and the watch is opened again', async () => {
	const { server, reflector } = await reflect([list('5', []), response => response.end('{"type":\n'), quiet])
	await expect.poll(() => server.requests).toEqual(['list 500', 'watch from 5', 'watch from 5'])
	expect(reflector.counts.failures).toBe(1)
})

test('a handler that throws is logged and affects nothing else', async () => {
	const onChange = () => {
		throw new TypeError('a handler with a bug')
	}
	const { reflector, logged } = await reflect([list('5', ['a@1']), watch(['ADDED b@6'], saysNothing)], { onChange })
	await expect.poll(() => [...reflector.store.values()]).toEqual(['a@1', 'b@6'])
	expect(logged.join('')).toContain('a handler with a bug')
	expect(reflector.counts).toMatchObject({ lists: 1, watches: 1, failures: 0 })
})

test('the reached version is reported after the changes up to it, also by a bookmark and after a relist', async () => {
	const seen: string[] = []
	const first = watch(['ADDED b@6', 'BOOKMARK @8', 'DELETED a@9', 'ERROR 410'], ends)
	const { logged } = await reflect([list('5', ['a@1']), first, list('12', ['c@11']), quiet], {
		onChange: (key, now) => seen.push(now ?? `-${key}`),
		onReached: (version, isList) => {
			seen.push(`${isList ? 'listed' : 'reached'} ${version}`)
			throw new TypeError('a handler of versions with a bug')
		},
	})
	await expect.poll(() => seen.at(-1)).toBe('listed 12')
	const upTo9 = ['a@1', 'listed 5', 'b@6', 'reached 6', 'reached 8', '-a', 'reached 9']
	expect(seen).toEqual([...upTo9, '-b', 'c@11', 'listed 12'])
	expect(logged.join('')).toContain('a handler of versions with a bug')
})

test('a handler that rejects asynchronously is also logged, and does not end the process', async () => {
	const onChange = async () => {
		await Promise.resolve()
		throw new TypeError('a handler with a late bug')
	}
	const { logged } = await reflect([list('5', ['a@1']), quiet], { onChange })
	await expect.poll(() => logged.join('')).toContain('a handler with a late bug')
})

test('an object that cannot be projected does not affect other objects, and is not reported as deleted', async () => {
	const project = ({ metadata }: ConfigMap) => {
		if (metadata.resourceVersion?.startsWith('66')) throw new TypeError('an object with a twist')
		return `${metadata.name}@${metadata.resourceVersion}`
	}
	const events = ['MODIFIED a@66', 'ADDED b@67', 'ERROR 410']
	const answers = [list('5', ['x@66', 'a@1']), watch(events, ends), list('9', ['a@66', 'b@67', 'c@8']), quiet]
	const { told, logged, reflector } = await reflect(answers, { project })
	await expect.poll(() => told).toEqual(['a@1', 'b@67', 'c@8'])
	expect([...reflector.store.values()]).toEqual(['a@1', 'b@67', 'c@8'])
	expect(logged.filter(text => text.includes('an object with a twist')).length).toBe(3)
})

test('an event that cannot be parsed leads to a relist, because a resumed watch would receive it again', async () => {
	const broken: Answer = response => response.writeHead(200).write('{"type":"ADDED","object":{}}\n')
	const { server } = await reflect([list('5', []), broken, list('6', ['a@6']), quiet])
	await expect.poll(() => server.requests).toEqual(['list 500', 'watch from 5', 'list 500', 'watch from 6'])
})

test('a list, a watch list and a watch return the same object, with its unknown fields', async () => {
	const spec = {
		newTopLevelField: { deep: [1, null] },
		metadata: { name: 'a', resourceVersion: '6', creationTimestamp: '2026-01-02T03:04:05Z' },
	}
	const stored = { apiVersion: 'v1', kind: 'ConfigMap', ...spec }
	const told = (response: Parameters<Answer>[0]) => response.write(`${JSON.stringify({ type: 'ADDED', object: stored })}\n`)
	const seen: unknown[] = []
	const whole = {
		project: (object: ConfigMap) => JSON.stringify(object, Object.keys(object).sort()),
		onChange: (_: string, now: unknown) => seen.push(now),
	}
	await reflect([json(200, { metadata: { resourceVersion: '6' }, items: [spec] }), quiet], whole)
	await reflect([json(200, { metadata: { resourceVersion: '6' }, items: [spec] }), quiet], { ...whole, listMode: 'single' })
	await reflect([list('5', []), watch([], told)], whole)
	await reflect([watch([], response => [told(response), response.write(`${line('END @6')}\n`)])], { ...whole, ...streamed })
	await expect.poll(() => seen.length).toBe(4)
	expect(new Set(seen).size).toBe(1)
})

test('stopping the reflector is not counted as a failure', async () => {
	const { server, reflector, logged, stop } = await reflect([watch(['END @5'], saysNothing)], streamed)
	await expect.poll(() => server.requests).toEqual(['watchlist'])
	await stop()
	expect([reflector.counts.failures, logged]).toEqual([0, []])
})

test('a reflector that is stopped during the list opens no watch', async () => {
	const { server, reflector, stop } = await reflect([saysNothing])
	await expect.poll(() => server.requests).toEqual(['list 500'])
	await stop()
	await expect(reflector.synced).rejects.toThrow()
	expect([server.requests, reflector.counts.failures]).toEqual([['list 500'], 0])
})

test('only the projection of an object in the response to a write is kept', async () => {
	const projected: string[] = []
	const project = ({ metadata }: ConfigMap) => {
		projected.push(`${metadata.name}@${metadata.resourceVersion}`)
		return `${metadata.name}@${metadata.resourceVersion}`
	}
	const { reflector, told } = await reflect([list('5', ['a@1']), quiet], { project })
	const metadata = { name: 'b', uid: 'uid-b', resourceVersion: '50', creationTimestamp: '2026-01-01T12:00:00Z' }
	reflector.observeWrite({ apiVersion: 'v1', kind: 'ConfigMap', metadata })
	await reflector.synced
	expect(told).toEqual(['b@50', 'a@1'])
	expect(projected).toEqual(['b@50', 'a@1'])
})

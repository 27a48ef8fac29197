import { describe, expect, test } from 'vitest'
import { ConfigMap, Event, Job, Node, Pod } from '../../runtime/kube/kinds.ts'
import { ANNOTATION_RETRY, FINALIZER } from '../../contract/names.ts'
import { NodeConfig } from '../../controller/model/node-config-kind.ts'
import type { Fault } from '../runtime/fake-api-server/faults.ts'
import type { ApiRequest } from '../runtime/fake-api-server/request.ts'
import { namespace, soon, specOf, startWorld, type World } from './survival.ts'

const nodes = ['a', 'b', 'c', 'd']

/** Runs a small fleet: four nodes are configured; then one node config is changed, one is deleted, and one is retried. */
async function story(world: World): Promise<void> {
	for (const name of nodes) world.add(name)
	world.startController()
	await soon(() => expect(nodes.map(name => world.status(name)?.state)).toEqual(nodes.map(() => 'Configured')))
	world.objects.patch(NodeConfig, { namespace, name: 'b' }, { spec: specOf('b', 1_400) })
	world.objects.delete(NodeConfig, { namespace, name: 'c' })
	world.objects.patch(NodeConfig, { namespace, name: 'd' }, { metadata: { annotations: { [ANNOTATION_RETRY]: 'now' } } })
	await soon(() => expect(endOf(world)).toEqual(theEnd))
}

/** The expected end: nothing is lost, and nothing happens twice. */
const theEnd = {
	told: ['a Configured 1', 'b Configured 2', 'c gone', 'd Configured 1'],
	asked: undefined,
	ran: ['a 1 1 Apply', 'b 1 1 Apply', 'b 2 1 Apply', 'c 1 1 Apply', 'c 2 1 Cleanup', 'd 1 1 Apply', 'd 1 2 Apply'],
	broken: [],
}

function endOf(world: World) {
	const told = (name: string) =>
		world.configOf(name) ? `${name} ${world.status(name)?.state} ${world.status(name)?.observedGeneration}` : `${name} gone`
	return {
		told: nodes.map(told),
		asked: world.configOf('d')?.metadata.annotations?.[ANNOTATION_RETRY],
		ran: world.ran.map(({ nodeName, generation, attempt, mode }) => `${nodeName} ${generation} ${attempt} ${mode}`).sort(),
		broken: world.broken,
	}
}

/** Configures each node config, deletes it, and creates it again with the same name as soon as it no longer exists. */
async function storyOfReturn(world: World): Promise<void> {
	const here = (state: string) => nodes.filter(name => world.configOf(name) && world.status(name)?.state === state)
	for (const name of nodes) world.add(name)
	world.startController()
	await soon(() => expect(here('Configured')).toEqual(nodes))
	for (const name of nodes) world.objects.delete(NodeConfig, { namespace, name })
	await Promise.all(
		nodes.map(async name => {
			await soon(() => expect(world.configOf(name)).toBeUndefined())
			world.add(name)
		}),
	)
	await soon(() => expect(here('Configured')).toEqual(nodes))
	const modes = (name: string) => world.ran.filter(({ nodeName }) => nodeName === name).map(({ mode }) => mode)
	expect(nodes.map(modes)).toEqual(nodes.map(() => ['Apply', 'Cleanup', 'Apply']))
	expect(world.broken).toEqual([])
}

/** Runs the scenario in a new world once for each of its requests, and makes that request fail. */
async function forEveryRequest(how: (world: World, request: ApiRequest) => Fault | undefined, tell = story): Promise<number> {
	let number = 0
	for (let met = true; met; ) {
		number++
		met = false
		const world = await startWorld(nodes, { maxUnavailable: '50%' })
		world.mistreat((request, count) => {
			if (met || count < number) return undefined
			met = true
			return how(world, request)
		})
		await tell(world).catch(error => {
			throw new Error(`request ${number}: ${JSON.stringify(endOf(world), null, 1)}`, { cause: error })
		})
		await world.end()
	}
	return number
}

describe('if any single request of the controller fails', () => {
	test.each<[title: string, fault: Fault]>([
		['the connection breaks before the request is processed', { fault: 'reset', when: 'before' }],
		['the connection breaks after the request is processed', { fault: 'reset', when: 'after' }],
		[
			'the server answers 500',
			{ fault: 'answer', status: 500, body: { kind: 'Status', code: 500, message: 'etcdserver: request timed out' } },
		],
		['the server answers 429', { fault: 'answer', status: 429, body: { kind: 'Status', code: 429, message: 'too many requests' } }],
	])('%s: nothing is lost or done twice', async (_, fault) => {
		expect(await forEveryRequest(() => fault)).toBeGreaterThan(40)
	})

	test.each(['before', 'after'] as const)(
		'the controller crashes with the request, %s it is processed: the next controller continues',
		async when => {
			const requests = await forEveryRequest(world => {
				world.restartController()
				return { fault: 'reset', when }
			})
			expect(requests).toBeGreaterThan(40)
		},
	)

	test('another client writes to the node config just before: nothing is lost or done twice', async () => {
		let letters = 0
		await forEveryRequest((world, { plural, name = '' }) => {
			if (plural === NodeConfig.plural && world.configOf(name))
				world.objects.patch(NodeConfig, { namespace, name }, { metadata: { labels: { changed: `x${++letters}` } } })
			return undefined
		})
		expect(letters).toBeGreaterThan(10)
	})
})

describe('at any moment', () => {
	test.each<[title: string, happens: (world: World) => unknown]>([
		[
			'the API server restarts',
			async ({ server }) => {
				await server.down()
				await server.up()
			},
		],
		[
			'etcd is compacted while all watches are disconnected',
			({ server }) => {
				server.compact()
				server.disconnect()
			},
		],
		['every connection breaks', ({ server }) => server.disconnect()],
	])('%s: nothing is lost or done twice', async (_, happens) => {
		for (let number = 3; number < 45; number += 6) {
			const world = await startWorld(nodes, { maxUnavailable: '50%' })
			world.mistreat((__, count) => {
				if (count === number) void happens(world)
				return undefined
			})
			await story(world)
			await world.end()
		}
	})

	test('20 of 100 requests fail, including watches: nothing is lost or done twice', async () => {
		const world = await startWorld(nodes, { maxUnavailable: '50%' })
		const faults: Fault[] = [
			{ fault: 'reset', when: 'before' },
			{ fault: 'reset', when: 'after' },
			{ fault: 'answer', status: 500 },
			{ fault: 'cut', afterLines: 2 },
		]
		world.mistreat((_, count) => (count % 5 === 0 ? faults[(count / 5) % faults.length] : undefined))
		await story(world)
	})
})

describe('watches with different delays', () => {
	const watched = [NodeConfig, ConfigMap, Job, Pod, Node].map(({ plural }) => plural)

	test.each(watched)('the watch of %s lags: nothing is lost or done twice', async plural => {
		for (const tell of [story, storyOfReturn]) {
			const world = await startWorld(nodes, { maxUnavailable: '100%' })
			world.mistreat(request => (request.verb === 'watch' && request.plural === plural ? { fault: 'late', ms: 40 } : undefined))
			await tell(world)
			await world.end()
		}
	})

	test.each([
		['changes and a deletion', story],
		['node configs that are created again', storyOfReturn],
	])(
		'a response arrives after all watches have reported the object and its deletion: nothing is lost or done twice (%s)',
		async (_, tell) => {
			expect(await forEveryRequest((__, { verb }) => (verb === 'watch' ? undefined : { fault: 'late', ms: 150 }), tell)).toBeGreaterThan(40)
		},
	)
})

describe('a node config that changes a thousand times', () => {
	test('is finally run at its last generation, and never by two concurrent runs', async () => {
		const world = await startWorld(['a'], {}, { runMs: () => 20 })
		world.add('a')
		world.startController()
		for (let edit = 1; edit <= 1_000; edit++) {
			world.objects.patch(NodeConfig, { namespace, name: 'a' }, { spec: specOf('a', 1_280 + edit) })
			if (edit % 50 === 0) await new Promise(resolve => setImmediate(resolve))
		}
		await soon(() => expect(world.status('a')).toMatchObject({ state: 'Configured', observedGeneration: 1_001 }))
		expect(world.broken).toEqual([])
		expect(world.ran.length).toBeLessThan(100)
	})
})

describe('a status that the API server rejects', () => {
	const refusal = { kind: 'Status', code: 422, reason: 'Invalid', message: 'status.interfaceStatuses: Invalid value' }
	const isResult = ({ plural, subresource, body }: ApiRequest) =>
		plural === NodeConfig.plural && subresource === 'status' && JSON.stringify(body).includes('AllInterfacesConfigured')

	test('is reported with reason StatusRefused, without a second run, and is written once the API server accepts it', async () => {
		const world = await startWorld(['a'])
		let refused = 0
		world.mistreat(request => {
			if (!isResult(request)) return undefined
			refused++
			return { fault: 'answer', status: 422, body: refusal }
		})
		world.add('a')
		world.startController()
		const ready = () => world.status('a')?.conditions?.find(({ type }) => type === 'Ready')
		await soon(() =>
			expect(ready()).toMatchObject({ status: 'False', reason: 'StatusRefused', message: expect.stringContaining('Invalid value') }),
		)
		await soon(() => expect(refused).toBeGreaterThan(5))
		expect(refused).toBeLessThan(50)
		expect(world.ran).toHaveLength(1)
		const events = world.objects.list<Event>(Event, namespace).filter(({ reason }) => reason === 'StatusRefused')
		expect(events).toHaveLength(1)
		world.mistreat(() => undefined)
		await soon(() => expect(world.status('a')?.state).toBe('Configured'))
		expect([world.ran.length, world.broken]).toEqual([1, []])
	})
})

describe('a write that a webhook answers with an error', () => {
	const broken = {
		kind: 'Status',
		code: 500,
		reason: 'InternalError',
		message: 'failed calling webhook "w.example.com": connection refused',
	}
	const policy = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'denied request: change no other annotation' }
	const isJob = ({ verb, plural }: ApiRequest) => verb === 'create' && plural === 'jobs'
	const isFinalizer = ({ plural, subresource, verb, body }: ApiRequest) =>
		plural === NodeConfig.plural && !subresource && verb === 'patch' && JSON.stringify(body).includes('finalizers')
	const isStatus = ({ plural, subresource }: ApiRequest) => plural === NodeConfig.plural && subresource === 'status'

	test.each<[title: string, is: (request: ApiRequest) => boolean, answer: typeof broken, words: RegExp]>([
		[
			'of a Job',
			isJob,
			broken,
			/^The controller has failed to create run multinic-agent-a-g1 since \S+Z and retries: .*failed calling webhook/,
		],
		[
			'of the finalizer',
			isFinalizer,
			policy,
			/^The controller has failed to add its finalizer to this node config since \S+Z and retries: .*change no other annotation/,
		],
	])('%s is reported in the status once, and cleared when the API server accepts the write', async (_, is, answer, words) => {
		const world = await startWorld(['a'])
		let failed = 0
		world.mistreat(request => {
			if (!is(request)) return undefined
			failed++
			return { fault: 'answer', status: answer.code, body: answer }
		})
		world.add('a')
		world.startController()
		const ready = () => world.status('a')?.conditions?.find(({ type }) => type === 'Ready')
		await soon(() => expect(ready()).toMatchObject({ reason: 'WriteFailed', message: expect.stringMatching(words) }))
		const { message } = ready() ?? {}
		await soon(() => expect(failed).toBeGreaterThan(4))
		expect(ready()?.message).toBe(message)
		world.mistreat(() => undefined)
		await soon(() => expect(world.status('a')?.state).toBe('Configured'))
		expect([world.ran.length, world.broken]).toEqual([1, []])
	})

	test('of the status itself is reported by an Event', async () => {
		const world = await startWorld(['a'])
		world.mistreat(request => (isStatus(request) ? { fault: 'answer', status: 500, body: broken } : undefined))
		world.add('a')
		world.startController()
		const events = () => world.objects.list<Event>(Event, namespace).filter(({ reason }) => reason === 'WriteFailed')
		await soon(() => expect(events()).toMatchObject([{ type: 'Warning', message: expect.stringContaining('failed calling webhook') }]))
		world.mistreat(() => undefined)
		await soon(() => expect(world.status('a')?.state).toBe('Configured'))
		expect([world.ran.length, world.broken]).toEqual([1, []])
	})
})

describe('a thousand node configs created together', () => {
	test('are all configured, each by one run, with four requests and at most two Events', async () => {
		const names = Array.from({ length: 1_000 }, (_, index) => `node-${index}`)
		const world = await startWorld(names, { maxUnavailable: '100%' })
		for (const name of names) world.add(name, specOf(name), { finalizers: [FINALIZER] })
		world.startController()
		await soon(() => expect(names.filter(name => world.status(name)?.state !== 'Configured').slice(0, 3)).toEqual([]))
		expect(world.broken).toEqual([])
		expect(new Set(world.ran.map(({ nodeName }) => nodeName)).size).toBe(world.ran.length)
		const count = (plural: string) =>
			world.server.requests.filter(
				({ userAgent, verb, plural: of }) => userAgent === 'multinic-controller' && !['watch', 'list'].includes(verb) && of === plural,
			).length
		expect({ configMaps: count('configmaps'), jobs: count('jobs'), status: count('multinicnodeconfigs') }).toEqual({
			...{ configMaps: 1_000, jobs: 1_000, status: 2_000 },
		})
		expect(count('events')).toBeLessThanOrEqual(2_000)
	})
})

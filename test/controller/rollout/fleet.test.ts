import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FINALIZER } from '../../../contract/names.ts'
import { type Place, rolloutOrder, waveLimit } from '../../../contract/rollout.ts'
import { decide } from '../../../controller/rules/decide.ts'
import type { Decision } from '../../../controller/model/decision.ts'
import { createFleet } from '../../../controller/rollout/fleet.ts'
import { createWaitQueue } from '../../../controller/rollout/wait-queue.ts'
import type { Stop } from '../../../controller/rollout/member.ts'
import { isActive } from '../../../controller/model/runs.ts'
import type { ConfigView, Run, Snapshot } from '../../../controller/model/snapshot.ts'
import { readSpec } from '../../../controller/model/read-spec.ts'
import { pendingStatus, startedStatus } from '../../../controller/status/build-status.ts'
import { mac, nicReport, now as start, report, run, someNode, spec, world } from '../world.ts'

/** Tests real decisions about a fleet in which only the API server and the nodes are simulated. */

type Outcome = 'Succeeded' | 'RolledBack' | 'WaitingForDevice' | 'Lost'

function fleetOf(
	names: readonly string[],
	{ controlPlane = [], settings = {}, cap = 1_000, behindMs = 0, absent = [], recorded = {} }: Options = {},
) {
	const configs = new Map<string, ConfigView>()
	const runs = new Map<string, Run[]>()
	const awake = new Set<string>()
	const started: string[] = []
	const woken: string[] = []
	let now = start
	let most = 0
	let mostControlPlane = 0
	const gone = new Set(absent)
	const node = (name: string) => (gone.has(name) ? undefined : { ...someNode, name, controlPlane: controlPlane.includes(name) })
	const runsOf = (name: string) => runs.get(name) ?? []
	const all = () => [...runs.values()].flat()
	const fleet = createFleet({
		configOf: name => configs.get(name),
		nodeOf: node,
		runsOf,
		active: is => all().filter(one => isActive(one) && is(one.mode)).length,
		wake: name => {
			woken.push(name)
			awake.add(name)
		},
		recordedStop: name => recorded[name],
		stopsChanged: () => {},
		...{ maxConcurrentRuns: cap, startedAt: start },
	})
	const put = (name: string, over: Partial<ConfigView> = {}) => {
		const nic = { id: 0, macAddress: mac }
		const base = {
			...world().config,
			name,
			uid: `uid-${name}`,
			finalizers: [FINALIZER],
			read: readSpec({ ...spec, nodeName: name, interfaces: [nic] }),
		}
		const config = { ...base, ...configs.get(name), ...over }
		configs.set(name, { ...config, rawStatus: config.status as Record<string, unknown> })
		fleet.refresh(name)
		awake.add(name)
	}
	const snapshotOf = (name: string): Snapshot => {
		const config = configs.get(name) ?? world().config
		const about = { config, ...config.read, node: node(name), runs: runsOf(name), rollout: fleet.view(name) }
		return { ...world(), now, ...about }
	}
	const act = (name: string, snapshot: Snapshot, decision: Decision) => {
		if (decision.act === 'setStatus') put(name, { status: decision.status })
		if (decision.act === 'deleteRuns') {
			runs.set(
				name,
				runsOf(name).filter(one => !decision.runs.includes(one.name)),
			)
			put(name)
		}
		if (decision.act !== 'start') return
		if (decision.run.mode !== 'Verify') started.push(name)
		const { generation } = snapshot.config
		const about = { ...decision.run, uid: `uid-${name}`, generation, created: Math.floor((now - behindMs) / 1_000) * 1_000 }
		const one = run({ ...about, name: `${name}-g${generation}-${about.attempt}` })
		runs.set(name, [...runsOf(name), one])
		put(name, decision.keepStatus ? {} : { status: startedStatus(snapshot, one) })
		const busy = [...runs].filter(([, those]) => those.some(one => isActive(one) && one.mode !== 'Verify')).map(([other]) => other)
		most = Math.max(most, busy.length)
		mostControlPlane = Math.max(mostControlPlane, busy.filter(other => controlPlane.includes(other)).length)
	}
	/** Makes one decision, as a worker does. The order of the workers is random. */
	const step = async (name: string) => {
		awake.delete(name)
		const snapshot = snapshotOf(name)
		const decision = decide(snapshot)
		fleet.recordDecision(name, now, decision)
		const release = decision.act === 'start' ? fleet.reserve(name, decision.run.mode, now) : () => {}
		act(name, snapshot, decision)
		release()
		await Promise.resolve()
		return decision
	}
	const rest = async (pick: (count: number) => number = () => 0) => {
		await Promise.resolve()
		while (awake.size > 0) await step([...awake][pick(awake.size)] ?? '')
	}
	const end = (name: string, outcome: Outcome) => {
		const last = runsOf(name).at(-1)
		if (!last) throw new Error(`${name} has no run`)
		const { generation, attempt, mode } = last
		const mark = { nodeName: name, uid: `uid-${name}`, generation, attempt, mode, interfaces: [nicReport({ macAddress: mac })] }
		const waiting = [nicReport({ macAddress: mac, state: 'Failed', reason: 'WaitingForDevice' })]
		const reports = {
			Succeeded: report(mark),
			RolledBack: report({ ...mark, outcome: 'RolledBack', reason: 'CommandFailed' }),
			WaitingForDevice: report({ ...mark, outcome: 'Failed', reason: 'WaitingForDevice', interfaces: waiting }),
			Lost: undefined,
		}
		Object.assign(last, { report: reports[mode === 'Verify' ? 'Succeeded' : outcome], job: { finished: now, failure: undefined } })
		fleet.refresh(name)
		awake.add(name)
	}
	fleet.setSettings(settings)
	for (const name of names) put(name)
	return {
		...{ fleet, put, step, rest, end, started, woken },
		lose: (name: string) => {
			gone.add(name)
			fleet.refresh(name)
			for (const one of configs.keys()) awake.add(one)
		},
		decide: (name: string) => decide(snapshotOf(name)),
		running: () => [...runs].flatMap(([name, those]) => (those.some(isActive) ? [name] : [])),
		looking: () => [...runs].flatMap(([name, those]) => (those.some(one => isActive(one) && one.mode === 'Verify') ? [name] : [])),
		pass: (ms: number) => {
			now += ms
			for (const name of configs.keys()) awake.add(name)
		},
		status: (name: string) => configs.get(name)?.status,
		most: () => ({ most, mostControlPlane }),
	}
}
type Options = {
	behindMs?: number
	/** Names of nodes that do not exist in the cluster. */
	absent?: readonly string[]
	recorded?: Readonly<Record<string, Stop>>
	controlPlane?: readonly string[]
	settings?: Record<string, string>
	cap?: number
}

const six = ['a', 'b', 'c', 'd', 'e', 'f']

describe('a rollout', () => {
	test('by default changes one node of six at a time, in order', async () => {
		const fleet = fleetOf(six)
		for (const name of six) {
			await fleet.rest()
			expect(fleet.running()).toEqual([name])
			fleet.end(name, 'Succeeded')
		}
		await fleet.rest()
		expect(fleet.started).toEqual(six)
	})

	test('keeps as many runs in progress as maxUnavailable allows', async () => {
		const fleet = fleetOf(six, { settings: { maxUnavailable: '3' } })
		await fleet.rest()
		expect(fleet.running()).toEqual(['a', 'b', 'c'])
		fleet.end('b', 'Succeeded')
		await fleet.rest()
		expect(fleet.running()).toEqual(['a', 'c', 'd'])
	})

	test('a finished run keeps its slot until its result is reported', async () => {
		const fleet = fleetOf(['a', 'b'])
		await fleet.rest()
		fleet.end('a', 'Succeeded')
		expect(await fleet.step('b')).toMatchObject({ act: 'queue', why: 'WaveIsFull' })
	})

	test('changes control-plane nodes last and one at a time, even if maxUnavailable allows more', async () => {
		const fleet = fleetOf(six, { controlPlane: ['a', 'b', 'c'], settings: { maxUnavailable: '100%' } })
		await fleet.rest()
		expect(fleet.running().sort()).toEqual(['a', 'd', 'e', 'f'])
		fleet.end('a', 'Succeeded')
		await fleet.rest()
		expect(fleet.running().sort()).toEqual(['b', 'd', 'e', 'f'])
	})

	test('never has more runs in progress than maxConcurrentRuns', async () => {
		const fleet = fleetOf(six, { cap: 2, settings: { maxUnavailable: '100%' } })
		await fleet.rest()
		expect(fleet.running()).toEqual(['a', 'b'])
	})

	test('node configs of nodes that do not exist do not raise the limit', async () => {
		const made = Array.from({ length: 400 }, (_, index) => `made-up-${index}`)
		const fleet = fleetOf([...six, ...made], { settings: { maxUnavailable: '10%' }, absent: made })
		await fleet.rest()
		expect(fleet.running()).toHaveLength(1)
	})

	test('node configs of nodes that do not exist do not block others, even before the first decision about them', async () => {
		const { fleet, step } = fleetOf(['a', 'b', 'c'], { settings: { maxUnavailable: '1' }, absent: ['a', 'b'] })
		expect(fleet.view('c').queuePosition).toBe(0)
		expect(await step('c')).toMatchObject({ act: 'start' })
	})

	test('a node config that was run before precedes new ones, regardless of their names', async () => {
		const fleet = fleetOf(['z'], { settings: { maxUnavailable: '1' } })
		await fleet.rest()
		fleet.end('z', 'Succeeded')
		await fleet.rest()
		for (const name of ['a', 'b']) fleet.put(name)
		fleet.put('z', { generation: 2 })
		await fleet.rest()
		expect(fleet.started).toEqual(['z', 'z'])
	})

	test('a node config whose plan is reported is not queued, even before the first decision about it', () => {
		const fleet = fleetOf(['b'])
		const read = readSpec({ ...spec, nodeName: 'a', mode: 'Plan' })
		fleet.put('a', { read, status: pendingStatus({ ...world(), ...read }, 'Planned', 'Planned: 1 change.') })
		expect(fleet.fleet.counts().queued).toBe(1)
		expect(fleet.fleet.view('b').queuePosition).toBe(0)
	})

	test('a requested pause is independent of the settings', async () => {
		const fleet = fleetOf(['a'], { settings: { paused: 'false' } })
		fleet.fleet.setPause({ paused: 'true' })
		expect(await fleet.step('a')).toMatchObject({ act: 'queue', why: 'RolloutPaused' })
		fleet.fleet.setPause(undefined)
		expect(await fleet.step('a')).toMatchObject({ act: 'start' })
	})

	test('each node config that may continue is woken only once, regardless of the decisions before it', async () => {
		const many = Array.from({ length: 60 }, (_, at) => `node-${at}`)
		const fleet = fleetOf(many, { settings: { paused: 'true' } })
		await fleet.rest()
		fleet.fleet.setSettings({ maxUnavailable: '100%' })
		await fleet.rest()
		expect(fleet.running()).toHaveLength(60)
		expect(fleet.woken.toSorted()).toEqual(many.toSorted())
	})

	test('a changed setting takes effect immediately', async () => {
		const fleet = fleetOf(six)
		await fleet.rest()
		fleet.fleet.setSettings({ maxUnavailable: '50%' })
		await fleet.rest()
		expect(fleet.running()).toEqual(['a', 'b', 'c'])
	})
})

describe('a queued node config', () => {
	test('reports its wait after 5 s, once, with the rule and without naming the next node', async () => {
		const fleet = fleetOf(six)
		await fleet.rest()
		expect(fleet.decide('f')).toMatchObject({ act: 'queue', afterMs: 5_000 })
		expect(fleet.status('f')).toEqual({})
		fleet.pass(5_000)
		await fleet.rest()
		expect(fleet.status('f')).toMatchObject({
			state: 'Pending',
			conditions: [{ reason: 'Waiting', message: expect.stringContaining('maxUnavailable 10%') }, {}],
		})
		fleet.end('a', 'Succeeded')
		await fleet.rest()
		fleet.pass(60_000)
		await fleet.rest()
		expect(fleet.decide('f')).toMatchObject({ act: 'queue', afterMs: 0 })
	})

	test.each<[title: string, settings: Record<string, string>, words: string]>([
		[
			'the chart pauses the rollout',
			{ paused: 'true' },
			'The rollout is paused by the chart (rollout.paused in ConfigMap multinic-rollout).',
		],
		['the settings are invalid', { maxUnavailable: 'all' }, 'ConfigMap multinic-rollout: maxUnavailable: must be a number of nodes'],
	])('reports why it waits: %s', async (_, settings, words) => {
		const fleet = fleetOf(['a', 'b'], { settings })
		await fleet.rest()
		fleet.pass(5_000)
		await fleet.rest()
		expect(fleet.started).toEqual([])
		expect(fleet.status('a')?.conditions?.[0]?.message).toContain(words)
		fleet.fleet.setSettings({})
		await fleet.rest()
		expect(fleet.running()).toEqual(['a'])
	})

	test('keeps reporting an earlier failure', async () => {
		const fleet = fleetOf(['a'])
		await fleet.rest()
		fleet.end('a', 'WaitingForDevice')
		await fleet.rest()
		fleet.fleet.setSettings({ paused: 'true' })
		fleet.pass(60_000)
		await fleet.rest()
		fleet.pass(60_000)
		expect(await fleet.step('a')).toMatchObject({ act: 'queue', why: 'RolloutPaused', afterMs: 0 })
		expect(fleet.status('a')).toMatchObject({ state: 'Failed' })
	})
})

describe('a failed run', () => {
	const three = ['a', 'b', 'c']
	async function failing(outcome: Outcome) {
		const fleet = fleetOf(three)
		await fleet.rest()
		fleet.end('a', outcome)
		await fleet.rest()
		return fleet
	}

	test.each<[outcome: Outcome, stops: boolean]>([
		['RolledBack', true],
		['Lost', true],
		['WaitingForDevice', false],
		['Succeeded', false],
	])('with outcome %s stops the rollout: %s', async (outcome, stops) => {
		const fleet = await failing(outcome)
		expect(fleet.running()).toEqual(stops ? [] : ['b'])
		if (stops) expect(fleet.decide('b')).toMatchObject({ act: 'queue', why: 'RolloutStopped' })
	})

	test('has its node named in the status of queued nodes if it stops the rollout', async () => {
		const fleet = await failing('RolledBack')
		fleet.pass(5_000)
		await fleet.rest()
		expect(fleet.status('b')?.conditions?.[0]?.message).toBe(
			'The rollout is stopped by a (CommandFailed). It resumes when that node succeeds, is paused, or is deleted.',
		)
	})

	test('no longer stops the rollout once its node config is deleted', async () => {
		const fleet = await failing('Lost')
		fleet.lose('a')
		await fleet.rest()
		expect(fleet.running()).toEqual(['b'])
	})

	test('is listed as a stop until a run on its node succeeds', async () => {
		const fleet = await failing('RolledBack')
		const stop = [{ name: 'a', uid: 'uid-a', stops: 'CommandFailed' }]
		expect(fleet.fleet.stops()).toEqual(stop)
		fleet.put('a', { generation: 2 })
		await fleet.rest()
		expect({ running: fleet.running(), stops: fleet.fleet.stops() }).toEqual({ running: ['a'], stops: stop })
		fleet.end('a', 'Succeeded')
		await fleet.rest()
		expect(fleet.fleet.stops()).toEqual([])
	})

	test.each<[title: string, uid: string, running: string[]]>([
		['that is recorded as a stop blocks the other nodes even if a new controller finds it retried', 'uid-a', ['a']],
		['that is recorded for an older node config of the same name blocks no node', 'older', ['a', 'b']],
	])('%s', async (_, uid, running) => {
		const fleet = fleetOf(three, { settings: { maxUnavailable: '2' }, recorded: { a: { uid, stops: 'ConnectivityLost' } } })
		await fleet.rest()
		expect(fleet.running()).toEqual(running)
	})

	test('is retried, and the other nodes continue after the retry succeeds', async () => {
		const fleet = await failing('RolledBack')
		fleet.pass(3_600_000)
		await fleet.rest()
		expect(fleet.running()).toEqual(['a'])
		fleet.end('a', 'Succeeded')
		await fleet.rest()
		expect(fleet.running()).toEqual(['b'])
	})

	test('blocks the other nodes while its changed node config is run', async () => {
		const fleet = await failing('RolledBack')
		fleet.put('a', { generation: 2 })
		await fleet.rest()
		expect(fleet.running()).toEqual(['a'])
		fleet.end('a', 'WaitingForDevice')
		await fleet.rest()
		expect(fleet.running()).toEqual(['b'])
	})

	test('does not block the retry of another failed run', async () => {
		const fleet = fleetOf(three, { settings: { maxUnavailable: '2' } })
		await fleet.rest()
		fleet.end('a', 'RolledBack')
		fleet.end('b', 'Lost')
		await fleet.rest()
		fleet.pass(3_600_000)
		await fleet.rest()
		expect(fleet.running()).toEqual(['a', 'b'])
	})

	test.each<[title: string, how: (fleet: Awaited<ReturnType<typeof failing>>) => void, running: string[]]>([
		[
			'no longer stops the rollout when its node config is paused',
			fleet => fleet.put('a', { read: readSpec({ ...spec, nodeName: 'a', paused: true }), generation: 2 }),
			['b'],
		],
		['does not block a retry of another node that a person requests', fleet => fleet.put('c', { requests: { retry: 'now' } }), ['c']],
	])('%s', async (_, how, running) => {
		const fleet = await failing('RolledBack')
		how(fleet)
		await fleet.rest()
		expect(fleet.running()).toEqual(running)
	})
})

test('a node is verified once per interval, even if the API server reports creation times in whole seconds and its clock is behind', async () => {
	const fleet = fleetOf(['a'], { settings: { verifyIntervalSeconds: '60' }, behindMs: 3_000 })
	await fleet.rest()
	fleet.end('a', 'Succeeded')
	let looks = 0
	for (let tick = 0; tick < 600; tick++) {
		await fleet.rest()
		if (fleet.looking().length > 0) {
			looks++
			fleet.end('a', 'Succeeded')
		}
		fleet.pass(100)
	}
	expect(looks).toBe(1)
})

describe('for any sequence of outcomes', () => {
	const outcomes = fc.constantFrom<Outcome>('Succeeded', 'Succeeded', 'Succeeded', 'RolledBack', 'WaitingForDevice', 'Lost')
	test('never changes more nodes concurrently than allowed, or more than one control-plane node, and finally configures all nodes', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 12 }),
				fc.integer({ min: 0, max: 3 }),
				fc.constantFrom('1', '2', '5', '10%', '30%', '100%'),
				fc.infiniteStream(fc.tuple(fc.nat(), outcomes)),
				async (size, controlPlanes, maxUnavailable, chance) => {
					const names = Array.from({ length: size }, (_, index) => `n${index}`)
					const fleet = fleetOf(names, { controlPlane: names.slice(0, controlPlanes), settings: { maxUnavailable } })
					const draw = () => chance.next().value
					for (let turn = 0; turn < 20; turn++) await turnOf(fleet, draw)
					fleet.put(names[draw()[0] % size] ?? '', { generation: 2 })
					for (let turn = 0; turn < 10; turn++) await turnOf(fleet, draw)
					for (let turn = 0; turn < 4 * size; turn++) await turnOf(fleet, () => [draw()[0], 'Succeeded'])
					expect(names.map(name => fleet.status(name)?.state)).toEqual(names.map(() => 'Configured'))
					expect(fleet.most().most).toBeLessThanOrEqual(waveLimit(maxUnavailable, size))
					expect(fleet.most().mostControlPlane).toBeLessThanOrEqual(1)
				},
			),
			{ numRuns: 150 },
		)
	})

	test('always keeps the queue in order', () => {
		const place = fc.record({ name: fc.constantFrom(...six), controlPlane: fc.boolean(), isNew: fc.boolean() })
		fc.assert(
			fc.property(fc.array(fc.tuple(fc.boolean(), place)), changes => {
				const line = createWaitQueue()
				let model: Place[] = []
				for (const [adds, one] of changes) {
					const others = model.filter(other => rolloutOrder(other, one) !== 0)
					model = (adds ? [...others, one] : others).sort(rolloutOrder)
					if (adds) line.add(one)
					else line.remove(one)
					expect(line.first(99)).toEqual(model.map(({ name }) => name))
					expect(line.position(one)).toBe(model.filter(other => rolloutOrder(other, one) < 0).length)
				}
			}),
		)
	})
})

/** Makes all possible decisions in any order, and then again after one run has ended or, if there is none, an hour has passed. */
async function turnOf(fleet: ReturnType<typeof fleetOf>, draw: () => [number, Outcome]): Promise<void> {
	await fleet.rest(count => draw()[0] % count)
	const [pick, outcome] = draw()
	const running = fleet.running()
	const name = running[pick % Math.max(1, running.length)]
	if (name) fleet.end(name, outcome)
	else fleet.pass(3_600_000)
	await fleet.rest(count => draw()[0] % count)
}
